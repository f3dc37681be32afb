import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';

/** A request of a stock client; `testkit/client-requests/README.md` says where they are from. */
export interface ClientRequest {
  readonly id: string;
  readonly client: string;
  /** Name and version of its npm packages. */
  readonly package: string;
  readonly setup: string;
  readonly method: string;
  /** The request target, its query included. */
  readonly path: string;
  /** In the order and spelling of the wire, without `content-length`. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Before it was compressed, where the headers have a `content-encoding`. */
  readonly body?: string;
}

const folder = resolve(import.meta.dirname, '../client-requests');
let loaded: readonly ClientRequest[] | undefined;

/** What stock clients were seen to send, client by client in the order that they sent it; read once per process. */
export function clientRequests(): readonly ClientRequest[] {
  loaded ??= readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl.zst'))
    .toSorted()
    .flatMap((name) =>
      zstdDecompressSync(readFileSync(join(folder, name)))
        .toString('utf8')
        .split('\n'),
    )
    .map((line) => JSON.parse(line) as ClientRequest);
  return loaded;
}
