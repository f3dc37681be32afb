/**
 * The way of one call over the border of `bifrost-plugin/1`: a frame is written into a buffer that the guest has allocated once,
 * `bifrost_call` is called, and the frame that it points at is read before the next call may overwrite it.
 *
 * A frame: u32 status, u32 bytes of JSON, u32 number of attachments, a u32 length for each, the JSON, the attachments.
 */
import { utf8Capacity } from '../guest-memory.ts';
import type { Guest, LiveGuest } from '../guest.ts';
import { wasmError } from '../wasm-error.ts';
import { hookOperations, operationNumber } from './operations.ts';
import type { Operation } from './operations.ts';

const headBytes = 12;
const statusFailed = 1;
const maxAttachments = 16;
/** A larger input buffer is given back after the call, where the guest can free. */
const keptBytes = 262_144;
const smallestBuffer = 4096;

/** What a guest has answered; it is read out of its memory already. */
export interface Answer {
  /** JSON. */
  readonly text: string;
  /** Copies. */
  readonly attachments: readonly Uint8Array[];
}

export type Attachment = string | Uint8Array;

/** The exports that the checks at load have found to be of the right signatures. */
interface Exports {
  readonly bifrost_alloc: (size: number) => number;
  readonly bifrost_call: (operation: number, pointer: number, length: number) => number;
  readonly bifrost_free?: (pointer: number, size: number) => void;
}

interface InputBuffer {
  readonly of: LiveGuest;
  readonly pointer: number;
  readonly capacity: number;
}

function attachmentCapacity(attachments: readonly Attachment[]): number {
  let total = 4 * attachments.length;
  for (const part of attachments) total += typeof part === 'string' ? utf8Capacity(part) : part.length;
  return total;
}

const none: readonly Uint8Array[] = [];

export class Exchange {
  readonly #plugin: string;
  readonly #guest: Guest;
  #buffer: InputBuffer | undefined;

  constructor(plugin: string, guest: Guest) {
    this.#plugin = plugin;
    this.#guest = guest;
  }

  /** One operation with the guest's present instance. Undefined where the guest has nothing to say. Throws PluginError. */
  call(operation: Operation, json: string, attachments: readonly Attachment[] = none): Answer | undefined {
    const live = this.#guest.open();
    try {
      return this.callLive(live, operation, json, attachments);
    } finally {
      this.#guest.close();
    }
  }

  /** The same with an instance that is open already. */
  callLive(
    live: LiveGuest,
    operation: Operation,
    json: string,
    attachments: readonly Attachment[] = none,
  ): Answer | undefined {
    // The signatures were checked at load.
    const exports = live.exports as unknown as Exports;
    let pointer: number;
    try {
      const buffer = this.#reserve(live, exports, headBytes + utf8Capacity(json) + attachmentCapacity(attachments));
      const length = writeFrame(live, buffer, json, attachments);
      pointer = exports.bifrost_call(operationNumber(operation), buffer.pointer, length) >>> 0;
    } catch (thrown) {
      if (thrown instanceof NoRoomError) throw this.#noRoom(operation, thrown);
      // A failed hook is reported with its name already.
      throw this.#guest.trap(thrown, operation in hookOperations ? undefined : operation);
    }
    const answer = pointer === 0 ? undefined : this.#read(live, operation, pointer);
    if ((this.#buffer?.capacity ?? 0) > keptBytes) this.#giveBack(live, exports);
    return answer;
  }

  #reserve(live: LiveGuest, exports: Exports, bytes: number): InputBuffer {
    const kept = this.#buffer;
    if (kept?.of === live) {
      if (kept.capacity >= bytes) return kept;
      exports.bifrost_free?.(kept.pointer, kept.capacity);
    }
    this.#buffer = undefined;
    const capacity = Math.max(smallestBuffer, bytes + (bytes >>> 2));
    const pointer = exports.bifrost_alloc(capacity) >>> 0;
    if (pointer === 0) throw new NoRoomError(capacity);
    live.memory.range(pointer, capacity, 'the host by bifrost_alloc');
    this.#buffer = { of: live, pointer, capacity };
    return this.#buffer;
  }

  #giveBack(live: LiveGuest, exports: Exports): void {
    const buffer = this.#buffer;
    if (buffer === undefined || exports.bifrost_free === undefined) return;
    this.#buffer = undefined;
    try {
      exports.bifrost_free(buffer.pointer, buffer.capacity);
    } catch (thrown) {
      throw this.#guest.trap(thrown, 'bifrost_free');
    }
    // The answer was read before: nothing in the memory is used any more.
  }

  #noRoom(operation: Operation, { bytes }: NoRoomError): Error {
    return wasmError(
      this.#plugin,
      'BF_PLUGIN_WASM_MEMORY',
      `${operation}: bifrost_alloc(${bytes}) returned 0: the plugin has no room for its input ` +
        `(its memory is ${this.#guest.memoryBytes} bytes of at most ${this.#guest.maxMemoryBytes})`,
    );
  }

  #read(live: LiveGuest, operation: Operation, pointer: number): Answer | undefined {
    const { memory } = live;
    if (!memory.has(pointer, headBytes)) throw this.#garbled(operation, `a frame at ${pointer}, beyond its memory`);
    const { view } = memory;
    const status = view.getUint32(pointer, true);
    const jsonBytes = view.getUint32(pointer + 4, true);
    const count = view.getUint32(pointer + 8, true);
    if (count > maxAttachments)
      throw this.#garbled(operation, `${count} attachments; at most ${maxAttachments} are read`);
    const jsonStart = pointer + headBytes + 4 * count;
    if (!memory.has(jsonStart, jsonBytes)) {
      throw this.#garbled(operation, `${jsonBytes} bytes of JSON at ${jsonStart}, beyond its memory`);
    }
    const text = memory.bytes.toString('utf8', jsonStart, jsonStart + jsonBytes);
    if (status === statusFailed) throw wasmError(this.#plugin, 'BF_PLUGIN_WASM_FAILED', `${operation} failed: ${text}`);
    if (status !== 0)
      throw this.#garbled(operation, `a frame of status ${status}; 0 (answer) and 1 (failure) are known`);
    const attachments =
      count === 0 ? none : this.#attachments(live, operation, { pointer, count, start: jsonStart + jsonBytes });
    return { text, attachments };
  }

  #attachments(
    { memory }: LiveGuest,
    operation: Operation,
    frame: { readonly pointer: number; readonly count: number; readonly start: number },
  ): Uint8Array[] {
    const attachments: Uint8Array[] = [];
    let start = frame.start;
    for (let index = 0; index < frame.count; index += 1) {
      const length = memory.view.getUint32(frame.pointer + headBytes + 4 * index, true);
      if (!memory.has(start, length)) {
        throw this.#garbled(operation, `attachment ${index} of ${length} bytes at ${start}, beyond its memory`);
      }
      // A copy: the guest's next call may overwrite it.
      attachments.push(new Uint8Array(memory.bytes.subarray(start, start + length)));
      start += length;
    }
    return attachments;
  }

  /** The error of an answer whose JSON says something that it cannot. */
  garbled(operation: Operation, thrown: unknown): Error {
    const reason = thrown instanceof Error ? thrown.message : 'it cannot be read';
    return wasmError(this.#plugin, 'BF_PLUGIN_WASM_OUTPUT', `${operation}: ${reason}`, thrown);
  }

  #garbled(operation: Operation, what: string): Error {
    return wasmError(this.#plugin, 'BF_PLUGIN_WASM_OUTPUT', `${operation} returned ${what}`);
  }
}

class NoRoomError extends Error {
  readonly bytes: number;
  constructor(bytes: number) {
    super('no room');
    this.bytes = bytes;
  }
}

/** Writes the input's frame and returns its length. The buffer was made large enough for the worst case. */
function writeFrame(
  { memory }: LiveGuest,
  { pointer }: InputBuffer,
  json: string,
  attachments: readonly Attachment[],
): number {
  const { bytes, view } = memory;
  const count = attachments.length;
  let end = pointer + headBytes + 4 * count;
  const jsonBytes = bytes.write(json, end);
  end += jsonBytes;
  view.setUint32(pointer, 0, true);
  view.setUint32(pointer + 4, jsonBytes, true);
  view.setUint32(pointer + 8, count, true);
  for (let index = 0; index < count; index += 1) {
    const part = attachments[index];
    let length = 0;
    if (typeof part === 'string') length = bytes.write(part, end);
    else if (part !== undefined) {
      bytes.set(part, end);
      ({ length } = part);
    }
    view.setUint32(pointer + headBytes + 4 * index, length, true);
    end += length;
  }
  return end - pointer;
}
