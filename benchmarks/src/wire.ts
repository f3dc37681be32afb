/** The smallest HTTP/1.1 framing that a benchmark's two ends need: find where a message ends, nothing more. */

const headEnd = Buffer.from('\r\n\r\n');
const lastChunk = Buffer.from('0\r\n\r\n');

/** Cuts a byte stream into HTTP messages and reports how far each one is. */
export class MessageReader {
  #head: Buffer = Buffer.alloc(0);
  #remaining = -1;
  #isChunked = false;
  #tail: Buffer = Buffer.alloc(0);

  /** Head of the message under way, as text; empty before it is complete. */
  head = '';

  /**
   * Feeds bytes; returns how many messages they completed. `onBody` sees the body bytes of the message under way.
   * Bodies are framed by content-length or by chunks; a message with neither has no body.
   */
  push(bytes: Buffer, onBody?: (part: Buffer) => void): number {
    let rest = bytes;
    let completed = 0;
    while (rest.length > 0) {
      if (this.#remaining === -1 && !this.#isChunked) {
        const joined = this.#head.length === 0 ? rest : Buffer.concat([this.#head, rest]);
        const at = joined.indexOf(headEnd);
        if (at === -1) {
          this.#head = Buffer.from(joined);
          return completed;
        }
        this.head = joined.toString('latin1', 0, at).toLowerCase();
        this.#head = Buffer.alloc(0);
        rest = joined.subarray(at + headEnd.length);
        this.#isChunked = this.head.includes('transfer-encoding: chunked');
        const length = /content-length: *(\d+)/.exec(this.head)?.[1];
        this.#remaining = this.#isChunked ? -1 : Number(length ?? 0);
        this.#tail = Buffer.alloc(0);
        if (this.#remaining === 0) {
          this.#remaining = -1;
          completed += 1;
        }
        continue;
      }
      if (this.#isChunked) {
        onBody?.(rest);
        this.#tail = Buffer.concat([this.#tail, rest.subarray(-lastChunk.length)]).subarray(-lastChunk.length);
        if (this.#tail.equals(lastChunk)) {
          this.#isChunked = false;
          completed += 1;
        }
        return completed;
      }
      const part = rest.subarray(0, this.#remaining);
      onBody?.(part);
      this.#remaining -= part.length;
      rest = rest.subarray(part.length);
      if (this.#remaining === 0) {
        this.#remaining = -1;
        completed += 1;
      }
    }
    return completed;
  }
}

/** One prepared HTTP request. */
export function requestBytes(path: string, headers: Readonly<Record<string, string>>, body: Buffer | string): Buffer {
  const payload = typeof body === 'string' ? Buffer.from(body) : body;
  const lines = Object.entries({ host: '127.0.0.1', ...headers, 'content-length': String(payload.length) })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines}\r\n`), payload]);
}
