import type { Socket } from 'node:net';
import { totalBytes } from '../json/splice.ts';
import type { UpstreamRequest } from './call.ts';
import { requestBodyLength } from './request-body.ts';

const invalidPathPattern = /[^\x21-\xff]/;
const invalidHostPattern = /[^\x21-\x7e]/;
/**
 * Head and body up to here leave as one string: Node writes up to 16 KiB of latin1 from its stack, without a buffer of its own. Larger
 * bodies are not copied.
 */
const oneWriteBytes = 16 * 1024;

/** Writes the heads of one origin's requests. */
export class RequestHeadForm {
  readonly #afterPath: string;
  #lastPath = '';

  /** Throws TypeError for a host that cannot be sent. */
  constructor(host: string) {
    if (host === '' || invalidHostPattern.test(host)) throw new TypeError('the header host is no host');
    this.#afterPath = ` HTTP/1.1\r\nhost: ${host}\r\n`;
  }

  /** `headers` is checked text. Throws TypeError for a path that cannot be sent. */
  form({ path, body }: UpstreamRequest, headers: string): string {
    if (path !== this.#lastPath) {
      if (!path.startsWith('/') || invalidPathPattern.test(path))
        throw new TypeError('the path is not valid in a request');
      this.#lastPath = path;
    }
    const length = Buffer.isBuffer(body) ? body.length : requestBodyLength(body);
    return `POST ${path}${this.#afterPath}${headers}content-length: ${length}\r\n\r\n`;
  }
}

/** Writes a request: one system call where it is small, else one for head and body that copies nothing. */
export function writeRequest(socket: Socket, head: string, body: Buffer | readonly Buffer[]): void {
  const parts = Buffer.isBuffer(body) ? undefined : body;
  const bytes = parts === undefined ? (body as Buffer).length : totalBytes(parts);
  if (head.length + bytes <= oneWriteBytes) {
    let text = head;
    if (parts === undefined) text += (body as Buffer).toString('latin1');
    else for (const part of parts) text += part.toString('latin1');
    socket.write(text, 'latin1');
    return;
  }
  socket.cork();
  socket.write(head, 'latin1');
  if (parts === undefined) socket.write(body as Buffer);
  else for (const part of parts) if (part.length > 0) socket.write(part);
  socket.uncork();
}
