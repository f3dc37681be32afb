/** `ctx.shared` of a plugin that has one instance: plain maps. Threads that share state are given another implementation. */
import { PluginError } from '@bifrost/sdk';
import type { Json, SharedState } from '@bifrost/sdk';

const maxCounters = 1024;
const maxValues = 256;
const maxBytes = 65_536;

/** The error of a shared state that is full; `bound` says of what. */
export function sharedStateFull(plugin: string, bound: string): PluginError {
  return new PluginError(plugin, `its shared state is full: it holds at most ${bound}`, {
    code: 'BF_PLUGIN_SHARED_FULL',
  });
}

export class LocalSharedState implements SharedState {
  readonly #plugin: string;
  readonly #counters = new Map<string, number>();
  /** As JSON text: what a reader gets is a copy, and its size is known. */
  readonly #values = new Map<string, string>();
  #bytes = 0;

  constructor(plugin: string) {
    this.#plugin = plugin;
  }

  add(counter: string, by = 1): number {
    const before = this.#counters.get(counter);
    if (before === undefined && this.#counters.size >= maxCounters)
      throw sharedStateFull(this.#plugin, `${maxCounters} counters`);
    const after = (before ?? 0) + by;
    this.#counters.set(counter, after);
    return after;
  }

  get(key: string): Json | undefined {
    const text = this.#values.get(key);
    // It was made by JSON.stringify.
    return text === undefined ? undefined : (JSON.parse(text) as Json);
  }

  set(key: string, value: Json | undefined): void {
    const before = this.#values.get(key);
    const freed = before === undefined ? 0 : key.length + before.length;
    if (value === undefined) {
      this.#values.delete(key);
      this.#bytes -= freed;
      return;
    }
    const text = JSON.stringify(value);
    const bytes = this.#bytes - freed + key.length + text.length;
    if (before === undefined && this.#values.size >= maxValues)
      throw sharedStateFull(this.#plugin, `${maxValues} values`);
    if (bytes > maxBytes) throw sharedStateFull(this.#plugin, `${maxBytes} bytes of values`);
    this.#values.set(key, text);
    this.#bytes = bytes;
  }
}
