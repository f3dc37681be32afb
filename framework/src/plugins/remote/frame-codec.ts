/**
 * Messages as bytes, for a plugin in a process of its own. One frame carries a batch: `u32` length of all that follows, `u32` length
 * of the JSON, the JSON (an array of messages), then the bytes of bodies. Little endian. JSON, because what a hostile process sends
 * must be harmless to read; bodies beside it, because base64 would cost a third more and two copies.
 *
 * Bytes occur in hook values in three places only: `body`, `request.body` and `response.body`. A message that holds some says so in
 * `bytes`, in the order in which they follow.
 */

/** Where the bytes belong, and how many they are. */
type Attachment = readonly [place: 'body' | 'request' | 'response', size: number];

const headerBytes = 8;

function isMembers(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Split {
  readonly value: unknown;
  readonly bytes: readonly Attachment[];
}

/** Takes the bodies out of a hook's input or result. */
function splitBytes(value: unknown, attachments: Uint8Array[]): Split | undefined {
  if (!isMembers(value)) return undefined;
  let rest: Record<string, unknown> | undefined;
  const bytes: Attachment[] = [];
  const { body } = value;
  if (body instanceof Uint8Array) {
    rest = { ...value };
    delete rest['body'];
    bytes.push(['body', body.byteLength]);
    attachments.push(body);
  }
  for (const place of ['request', 'response'] as const) {
    const part = value[place];
    if (!isMembers(part)) continue;
    const { body: inner, ...others } = part;
    if (!(inner instanceof Uint8Array)) continue;
    rest = { ...(rest ?? value), [place]: others };
    bytes.push([place, inner.byteLength]);
    attachments.push(inner);
  }
  return rest === undefined ? undefined : { value: rest, bytes };
}

/** The member of a message that may hold bodies. */
const carriers = ['input', 'value'] as const;

function splitMessage(message: unknown, attachments: Uint8Array[]): unknown {
  if (!isMembers(message)) return message;
  for (const carrier of carriers) {
    const split = splitBytes(message[carrier], attachments);
    if (split !== undefined) return { ...message, [carrier]: split.value, bytes: split.bytes };
  }
  return message;
}

/** Writes one frame. Throws for values that JSON does not have (cycles, big integers), and RangeError above `maxBytes`. */
export function encodeFrame(batch: readonly unknown[], maxBytes = Number.POSITIVE_INFINITY): Buffer {
  const attachments: Uint8Array[] = [];
  const text = JSON.stringify(batch.map((message) => splitMessage(message, attachments)));
  const jsonBytes = Buffer.byteLength(text);
  let total = headerBytes + jsonBytes;
  for (const { byteLength } of attachments) total += byteLength;
  if (total > maxBytes) throw new RangeError(`${total} bytes are more than the ${maxBytes} that a message may have`);
  const frame = Buffer.allocUnsafe(total);
  frame.writeUInt32LE(total - 4, 0);
  frame.writeUInt32LE(jsonBytes, 4);
  frame.write(text, headerBytes);
  let at = headerBytes + jsonBytes;
  for (const bytes of attachments) {
    frame.set(bytes, at);
    at += bytes.byteLength;
  }
  return frame;
}

/** A frame that is none: the other side has not kept to the protocol. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** JSON.parse without own members named `__proto__`, which a later copy could take for a prototype. */
export function parseSafely(text: string): unknown {
  // An escape could spell the name too; `_` is never escaped by an honest writer.
  const isPlain = !text.includes('__proto__') && (!text.includes('\\u') || !/\\u005f/i.test(text));
  if (isPlain) return JSON.parse(text) as unknown;
  return JSON.parse(text, (key, value: unknown) => (key === '__proto__' ? undefined : value)) as unknown;
}

function isAttachment(value: unknown): value is Attachment {
  if (!Array.isArray(value)) return false;
  const [place, size]: readonly unknown[] = value;
  return ['body', 'request', 'response'].includes(String(place)) && Number.isSafeInteger(size) && Number(size) >= 0;
}

/** Puts bodies back where they were. */
function joinMessage(message: Record<string, unknown>, take: (size: number) => Uint8Array): void {
  const { bytes } = message;
  delete message['bytes'];
  if (!Array.isArray(bytes) || !bytes.every(isAttachment)) throw new FrameError('its list of bodies is wrong');
  const value = carriers.map((carrier) => message[carrier]).find(isMembers);
  if (value === undefined) throw new FrameError('it has bodies without a value');
  for (const [place, size] of bytes) {
    const owner = place === 'body' ? value : value[place];
    if (!isMembers(owner)) throw new FrameError('it has a body without a place');
    Object.defineProperty(owner, 'body', { value: take(size), enumerable: true, writable: true, configurable: true });
  }
}

function decodeFrame(frame: Buffer): readonly unknown[] {
  const jsonBytes = frame.length < 4 ? Number.POSITIVE_INFINITY : frame.readUInt32LE(0);
  if (jsonBytes > frame.length - 4) throw new FrameError('its lengths contradict each other');
  let messages: unknown;
  try {
    messages = parseSafely(frame.toString('utf8', 4, 4 + jsonBytes));
  } catch {
    throw new FrameError('it is not JSON');
  }
  if (!Array.isArray(messages)) throw new FrameError('it is not a list of messages');
  let at = 4 + jsonBytes;
  const take = (size: number): Uint8Array => {
    if (at + size > frame.length) throw new FrameError('its bodies are shorter than stated');
    // A copy: the frame's own memory may be shared by others.
    const bytes = new Uint8Array(frame.subarray(at, at + size));
    at += size;
    return bytes;
  };
  const list: readonly unknown[] = messages;
  for (const message of list) {
    if (!isMembers(message)) throw new FrameError('a message is no object');
    if (message['bytes'] !== undefined) joinMessage(message, take);
  }
  return list;
}

const firstCapacity = 4096;

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  readonly #maxBytes: number;
  /** What has come of a frame that is not whole: one piece that grows, as who writes byte by byte would make millions of small ones. */
  #kept: Buffer = Buffer.alloc(0);
  #size = 0;

  /** Frames of more than `maxBytes` are refused before they are gathered. */
  constructor(maxBytes = Number.POSITIVE_INFINITY) {
    this.#maxBytes = maxBytes;
  }

  /** Gives each batch that is complete with `chunk` to `onBatch`; the chunk's memory is not kept. Throws FrameError. */
  push(chunk: Buffer, onBatch: (batch: readonly unknown[]) => void): void {
    if (this.#size === 0) {
      this.#cut(chunk, onBatch);
      return;
    }
    this.#keep(chunk);
    if (this.#size < 4 || this.#size < 4 + this.#frameLength(this.#kept.readUInt32LE(0))) return;
    const whole = this.#kept.subarray(0, this.#size);
    this.#kept = Buffer.alloc(0);
    this.#size = 0;
    this.#cut(whole, onBatch);
  }

  #cut(bytes: Buffer, onBatch: (batch: readonly unknown[]) => void): void {
    let at = 0;
    while (bytes.length - at >= 4) {
      const end = at + 4 + this.#frameLength(bytes.readUInt32LE(at));
      if (end > bytes.length) break;
      onBatch(decodeFrame(bytes.subarray(at + 4, end)));
      at = end;
    }
    if (at < bytes.length) this.#keep(bytes.subarray(at));
  }

  #keep(piece: Buffer): void {
    const size = this.#size + piece.length;
    if (size > this.#kept.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(firstCapacity, size, 2 * this.#kept.length));
      this.#kept.copy(grown, 0, 0, this.#size);
      this.#kept = grown;
    }
    piece.copy(this.#kept, this.#size);
    this.#size = size;
  }

  #frameLength(length: number): number {
    if (length + 4 <= this.#maxBytes) return length;
    throw new FrameError(`a message of ${length} bytes is longer than ${this.#maxBytes}`);
  }
}
