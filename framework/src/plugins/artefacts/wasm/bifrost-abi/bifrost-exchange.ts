/**
 * Calls into a guest of Bifrost's own WASM ABI: input is written where `malloc` says, a result is `pointer << 32 | length`, and both
 * are freed. Its sample guests hand out memory from a bump allocator that never frees and never looks at the end: where what it gave
 * lies outside of the memory, the call begins again with a fresh instance, and then with more memory.
 */
import type { Guest, LiveGuest } from '../guest.ts';
import { wasmError } from '../wasm-error.ts';

interface Exports {
  readonly malloc: (size: number) => number;
  readonly free: ((pointer: number, size: number) => void) | undefined;
}

interface Range {
  readonly pointer: number;
  readonly length: number;
}

type GuestFunction = (...values: number[]) => unknown;

export class BifrostExchange {
  readonly #plugin: string;
  readonly #guest: Guest;
  /** Under what names the guest exports its allocator. */
  readonly #names: { readonly malloc: string; readonly free: string };

  constructor(plugin: string, guest: Guest, names: { readonly malloc: string; readonly free: string }) {
    this.#plugin = plugin;
    this.#guest = guest;
    this.#names = names;
  }

  /**
   * A hook: JSON in, JSON out. Undefined where it returned nothing. Throws PluginError. `part` is the JSON of an object in the input that most
   * guests hand back as it was, and that need not be read again: where it stands in the answer, the result has null.
   */
  hook(name: string, json: string, part?: string): unknown {
    let live = this.#guest.open();
    try {
      let input = this.#give(live, name, json);
      if (input === undefined) {
        live = this.#guest.replace(live);
        input = this.#give(live, name, json) ?? this.#giveGrown(live, name, json);
      }
      const packed = this.#run(live, name, [input.pointer, input.length]);
      const output = unpack(packed);
      const text = output.length === 0 ? undefined : this.#read(live, name, output);
      this.#release(live, name, input, output);
      if (text === undefined) return undefined;
      // In JSON the text of an object is nothing else: inside of a string its quotes would be escaped.
      return this.#parse(name, part === undefined ? text : text.replace(part, 'null'));
    } finally {
      this.#guest.close();
    }
  }

  /** `get_name`. */
  name(): string {
    const live = this.#guest.open();
    try {
      const range = unpack(this.#run(live, 'get_name', []));
      const text = range.length === 0 ? '' : this.#read(live, 'get_name', range);
      this.#release(live, 'get_name', undefined, range);
      return text;
    } finally {
      this.#guest.close();
    }
  }

  /** `init` with the entry's config: 0 is success. Throws PluginError. */
  init(live: LiveGuest, config: string): void {
    const input = this.#give(live, 'init', config) ?? this.#giveGrown(live, 'init', config);
    const status = Number(this.#run(live, 'init', [input.pointer, input.length]));
    this.#release(live, 'init', input, { pointer: 0, length: 0 });
    if (status !== 0) throw wasmError(this.#plugin, 'BF_PLUGIN_WASM_FAILED', `init returned ${status}; 0 is success`);
  }

  cleanup(live: LiveGuest): void {
    if (live.exports['cleanup'] === undefined) return;
    const status = Number(this.#run(live, 'cleanup', []));
    if (status === 0) return;
    throw wasmError(this.#plugin, 'BF_PLUGIN_WASM_FAILED', `cleanup returned ${status}; 0 is success`);
  }

  #run(live: LiveGuest, name: string, values: readonly number[]): unknown {
    try {
      // Its signature was checked at load.
      return (live.exports[name] as GuestFunction)(...values);
    } catch (thrown) {
      throw this.#guest.trap(thrown, name);
    }
  }

  /** Writes the input; undefined where the allocator's answer lies outside of the memory. */
  #give(live: LiveGuest, name: string, json: string): Range | undefined {
    const range = this.#allocate(live, name, json);
    return live.memory.has(range.pointer, range.length) ? write(live, range.pointer, json) : undefined;
  }

  #giveGrown(live: LiveGuest, name: string, json: string): Range {
    const { pointer, length } = this.#allocate(live, name, json);
    if (live.memory.growTo(pointer + length)) return write(live, pointer, json);
    throw wasmError(
      this.#plugin,
      'BF_PLUGIN_WASM_MEMORY',
      `${name}: ${this.#names.malloc}(${length}) returned ${pointer}, beyond its memory of ${live.memory.byteLength} bytes, ` +
        `which may grow to ${this.#guest.maxMemoryBytes}`,
    );
  }

  #allocate(live: LiveGuest, name: string, json: string): Range {
    const length = Buffer.byteLength(json);
    try {
      return { pointer: this.#allocator(live).malloc(length) >>> 0, length };
    } catch (thrown) {
      throw this.#guest.trap(thrown, `${name}: ${this.#names.malloc}(${length})`);
    }
  }

  #allocator(live: LiveGuest): Exports {
    const { malloc, free } = this.#names;
    // Their signatures were checked at load; a `free` of one parameter ignores the second.
    return { malloc: live.exports[malloc] as Exports['malloc'], free: live.exports[free] as Exports['free'] };
  }

  #read(live: LiveGuest, name: string, { pointer, length }: Range): string {
    if (live.memory.has(pointer, length)) return live.memory.bytes.toString('utf8', pointer, pointer + length);
    throw wasmError(
      this.#plugin,
      'BF_PLUGIN_WASM_OUTPUT',
      `${name} returned ${length} bytes at ${pointer}, beyond its memory of ${live.memory.byteLength} bytes`,
    );
  }

  #release(live: LiveGuest, name: string, input: Range | undefined, output: Range): void {
    const { free } = this.#allocator(live);
    if (free === undefined) return;
    try {
      // An answer that lies in the input is no allocation of its own.
      const isWithin =
        input !== undefined && output.pointer >= input.pointer && output.pointer < input.pointer + input.length;
      if (output.length > 0 && !isWithin) free(output.pointer, output.length);
      if (input !== undefined) free(input.pointer, input.length);
    } catch (thrown) {
      throw this.#guest.trap(thrown, `${name}: ${this.#names.free}`);
    }
  }

  #parse(name: string, text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : 'unreadable';
      throw wasmError(this.#plugin, 'BF_PLUGIN_WASM_OUTPUT', `${name} returned what is not JSON (${reason})`);
    }
  }
}

function unpack(packed: unknown): Range {
  const bits = BigInt.asUintN(64, typeof packed === 'bigint' ? packed : 0n);
  return { pointer: Number(bits >> 32n), length: Number(bits & 0xffff_ffffn) };
}

function write({ memory }: LiveGuest, pointer: number, json: string): Range {
  return { pointer, length: memory.bytes.write(json, pointer) };
}
