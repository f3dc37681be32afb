/**
 * The structs of `bifrost_plugin.h` in memory that the gateway owns, one set for each library and thread: calls are synchronous and
 * never nested. Offsets and sizes are those of the header, which asserts them, on 64-bit machines.
 */
import type * as FFI from 'node:ffi';

type Ffi = typeof FFI;

const at = { host: 0, call: 32, output: 80, plugin: 128, attachments: 136, text: 256 } as const;
const sizes = { host: 24, call: 48, output: 40 } as const;
/** Attachments that a call may have in either direction. No hook has more than one body. */
const maxAttachments = 7;
const byteLength = 65_536;

export interface CallInput {
  readonly hook: number;
  readonly text: string;
  readonly attachments: readonly Uint8Array[];
}

/** What a function left in its output, copied. */
export interface PluginOutput {
  readonly text: string | undefined;
  readonly attachments: readonly Uint8Array[];
}

const nothing: PluginOutput = { text: undefined, attachments: [] };
const encoder = new TextEncoder();

export class PluginMemory {
  readonly #ffi: Ffi;
  readonly #numbers: Uint32Array;
  readonly #words: BigUint64Array;
  readonly #textBytes: Uint8Array;
  readonly #textAddress: bigint;
  /** Keeps the bytes whose addresses native code was given from being collected until `release`. */
  #held: readonly Uint8Array[] = [];
  readonly addresses: {
    readonly host: bigint;
    readonly call: bigint;
    readonly output: bigint;
    readonly plugin: bigint;
  };

  constructor(ffi: Ffi, abi: number) {
    const buffer = new ArrayBuffer(byteLength);
    const base = ffi.getRawPointer(buffer);
    this.#ffi = ffi;
    this.#numbers = new Uint32Array(buffer);
    this.#words = new BigUint64Array(buffer);
    this.#textBytes = new Uint8Array(buffer, at.text);
    this.#textAddress = base + BigInt(at.text);
    const address = (offset: number): bigint => base + BigInt(offset);
    this.addresses = {
      host: address(at.host),
      call: address(at.call),
      output: address(at.output),
      plugin: address(at.plugin),
    };
    this.#numbers.set([sizes.host, abi], at.host / 4);
    this.#numbers[at.call / 4] = sizes.call;
    this.#words[at.call / 8 + 1] = this.addresses.host;
    this.#words[at.call / 8 + 4] = address(at.attachments);
    this.#numbers[at.output / 4] = sizes.output;
  }

  setHostFunctions(log: bigint, request: bigint): void {
    this.#words.set([log, request], at.host / 8 + 1);
  }

  /** Writes a call and clears the output. */
  prepare({ hook, text, attachments }: CallInput): void {
    const numbers = this.#numbers;
    const call = at.call / 4;
    numbers[call + 1] = hook;
    // UTF-8 takes at most three bytes for a UTF-16 unit.
    const length = text.length * 3 < this.#textBytes.length ? this.#writeShort(text) : this.#writeLong(text);
    numbers[call + 6] = length;
    numbers[call + 10] = attachments.length;
    if (attachments.length > 0) this.#writeAttachments(attachments);
    numbers.fill(0, at.output / 4 + 1, at.output / 4 + 10);
  }

  #writeShort(text: string): number {
    const { written } = encoder.encodeInto(text, this.#textBytes);
    this.#textBytes[written] = 0;
    this.#words[at.call / 8 + 2] = this.#textAddress;
    return written;
  }

  #writeLong(text: string): number {
    const bytes = Buffer.from(`${text}\0`);
    this.#held = [bytes];
    this.#words[at.call / 8 + 2] = this.#ffi.getRawPointer(bytes);
    return bytes.length - 1;
  }

  #writeAttachments(attachments: readonly Uint8Array[]): void {
    this.#held = [...this.#held, ...attachments];
    attachments.forEach((bytes, index) => {
      const word = at.attachments / 8 + index * 2;
      this.#words[word] = bytes.length === 0 ? 0n : this.#ffi.getRawPointer(bytes);
      this.#words[word + 1] = BigInt(bytes.length);
    });
  }

  /** After the call: the native code has no address any more. */
  release(): void {
    if (this.#held.length > 0) this.#held = [];
  }

  /** True when the output has a pointer in it, which the plugin must be told to free. */
  get hasOutput(): boolean {
    const numbers = this.#numbers;
    for (let index = at.output / 4 + 2; index < at.output / 4 + 10; index++) if (numbers[index] !== 0) return true;
    return false;
  }

  /** Copies the output. Throws Error for one that cannot be. */
  readOutput(): PluginOutput {
    const word = at.output / 8;
    const json = this.#words[word + 1] ?? 0n;
    const count = Number(this.#words[word + 3]);
    if (json === 0n && count === 0) return nothing;
    const text = json === 0n ? undefined : (this.#ffi.toString(json) ?? undefined);
    return { text, attachments: count === 0 ? nothing.attachments : this.#readAttachments(count) };
  }

  #readAttachments(count: number): readonly Uint8Array[] {
    const table = this.#words[at.output / 8 + 2] ?? 0n;
    if (table === 0n || count > maxAttachments) {
      throw new Error(
        `its output claims to have ${count} attachments${table === 0n ? ' at no address' : `; at most ${maxAttachments} are taken`}`,
      );
    }
    return Array.from({ length: count }, (_, index) => {
      const data = this.#ffi.getUint64(table, index * 16);
      const length = Number(this.#ffi.getUint64(table, index * 16 + 8));
      if (length === 0) return new Uint8Array();
      if (data === 0n) throw new Error(`attachment ${index} of its output has ${length} bytes at no address`);
      return this.#ffi.toBuffer(data, length);
    });
  }

  /** What `create` has put into `*plugin`. */
  get createdPlugin(): bigint {
    return this.#words[at.plugin / 8] ?? 0n;
  }

  clearCreatedPlugin(): void {
    this.#words[at.plugin / 8] = 0n;
  }
}
