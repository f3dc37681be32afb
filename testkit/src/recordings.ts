import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import type { Json } from '@bifrost/sdk';

/** One recorded body and how it is held. */
export interface RecordedBody {
  readonly body_encoding: 'json' | 'text' | 'base64' | 'frames' | 'none';
  readonly body?: Json;
}

/** One real exchange with a provider; `testkit/recordings/README.md` describes the format. */
export interface Recording {
  readonly id: string;
  readonly source: { readonly repo: string; readonly path: string; readonly interaction: number };
  readonly provider: string;
  readonly api: string;
  readonly operation: string;
  readonly stream: boolean;
  readonly features: readonly string[];
  readonly model: string | null;
  readonly fidelity?: { readonly request?: string; readonly stream_framing?: string };
  /** Null where only the response was recorded. */
  readonly request:
    | (RecordedBody & {
        readonly method: string;
        readonly path: string;
        readonly headers: Readonly<Record<string, string>>;
      })
    | null;
  readonly response: RecordedBody & {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly stream_format?: 'sse' | 'ndjson' | 'json-array' | 'aws-eventstream';
  };
}

const folder = resolve(import.meta.dirname, '../recordings');
const loaded = new Map<string, readonly Recording[]>();

/** The providers that have recordings, sorted. */
export function recordedProviders(): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl.zst'))
    .map((name) => name.slice(0, -'.jsonl.zst'.length))
    .toSorted();
}

/** All recordings of one provider, in the order of their ids; read once per process. */
export function recordingsOf(provider: string): readonly Recording[] {
  let recordings = loaded.get(provider);
  if (recordings === undefined) {
    const text = zstdDecompressSync(readFileSync(join(folder, `${provider}.jsonl.zst`))).toString('utf8');
    recordings = text.split('\n').map((line) => JSON.parse(line) as Recording);
    loaded.set(provider, recordings);
  }
  return recordings;
}

/** All recordings of a wire surface such as `openai.chat_completions`, over all providers. */
export function recordingsOfApi(...apis: readonly string[]): readonly Recording[] {
  return recordedProviders().flatMap((provider) => recordingsOf(provider).filter((one) => apis.includes(one.api)));
}

/** The one recording with this id. */
export function recordingById(id: string): Recording {
  const found = recordingsOf(id.slice(0, id.indexOf('/'))).find((one) => one.id === id);
  if (found === undefined) throw new Error(`no recording has the id ${id}`);
  return found;
}

/** The bytes of a recorded body, as they went over the wire (JSON bodies in a plain form, their white space being lost). */
export function recordedBytes(recorded: RecordedBody): Buffer {
  switch (recorded.body_encoding) {
    case 'none':
      return Buffer.alloc(0);
    case 'text':
      return Buffer.from(recorded.body as string, 'utf8');
    case 'base64':
      return Buffer.from(recorded.body as string, 'base64');
    case 'json':
    case 'frames':
      return Buffer.from(JSON.stringify(recorded.body), 'utf8');
  }
}
