/** `ctx.shared` over the memory that the threads of a plugin share. */
import { sharedStateFull } from '@bifrost/core/plugins';
import type { Json, SharedState } from '@bifrost/sdk';
import { maxCounters, maxValues, maxValueUnits, viewsOf } from './layout.ts';
import { SharedCounters } from './shared-counters.ts';
import { SharedValues } from './shared-values.ts';

class ThreadSharedState implements SharedState {
  readonly #plugin: string;
  readonly #counters: SharedCounters;
  readonly #values: SharedValues;

  constructor(plugin: string, buffer: SharedArrayBuffer) {
    const views = viewsOf(buffer);
    this.#plugin = plugin;
    this.#counters = new SharedCounters(views);
    this.#values = new SharedValues(views);
  }

  add(counter: string, by = 1): number {
    const after = this.#counters.add(String(counter), by);
    if (after === undefined) throw sharedStateFull(this.#plugin, `${maxCounters} counters`);
    return after;
  }

  get(key: string): Json | undefined {
    const text = this.#values.get(key);
    // It was made by JSON.stringify.
    return text === undefined ? undefined : (JSON.parse(text) as Json);
  }

  set(key: string, value: Json | undefined): void {
    const overflow = this.#values.set(key, value === undefined ? undefined : JSON.stringify(value));
    if (overflow === 'values') throw sharedStateFull(this.#plugin, `${maxValues} values`);
    if (overflow === 'units') throw sharedStateFull(this.#plugin, `${maxValueUnits} bytes of values`);
  }
}

/** Gives the state in `buffer` (made by `createSharedStateBuffer`) to a plugin's instance in this thread. */
export function openSharedState(buffer: SharedArrayBuffer): (plugin: string) => SharedState {
  return (plugin) => new ThreadSharedState(plugin, buffer);
}
