/** The counters of a shared state: added to without a lock, created under it. */
import { counterSlots, headCells, maxCounters, maxNameUnits, slotCells, slotSize } from './layout.ts';
import type { SharedViews } from './layout.ts';
import { withWriteLock } from './write-lock.ts';

/** FNV-1a over UTF-16 units. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  }
  return hash | 0;
}

export class SharedCounters {
  readonly #views: SharedViews;
  /** Slots by name, as this thread has found them; a counter never moves. */
  readonly #known = new Map<string, number>();

  constructor(views: SharedViews) {
    this.#views = views;
  }

  /** The counter's new value, or undefined where there is no room for a new counter. */
  add(name: string, by: number): number | undefined {
    let slot = this.#known.get(name);
    if (slot === undefined) {
      slot = this.#find(name) ?? withWriteLock(this.#views.head, () => this.#find(name) ?? this.#create(name));
      if (slot === undefined) return undefined;
      this.#known.set(name, slot);
    }
    return Number(Atomics.add(this.#views.totals, slot, BigInt(by))) + by;
  }

  #find(name: string): number | undefined {
    const { slots } = this.#views;
    const hash = hashOf(name);
    for (let probe = 0; probe < counterSlots; probe += 1) {
      const slot = (hash + probe) & (counterSlots - 1);
      const at = slot * slotSize;
      if (Atomics.load(slots, at + slotCells.state) === 0) return undefined;
      if (slots[at + slotCells.hash] === hash && this.#hasName(at, name)) return slot;
    }
    return undefined;
  }

  #hasName(at: number, name: string): boolean {
    const { slots, names } = this.#views;
    const start = slots[at + slotCells.nameStart] ?? 0;
    if (slots[at + slotCells.nameLength] !== name.length) return false;
    for (let index = 0; index < name.length; index += 1) {
      if (names[start + index] !== name.charCodeAt(index)) return false;
    }
    return true;
  }

  /** Under the lock, where `name` was not found. */
  #create(name: string): number | undefined {
    const { head, slots, names } = this.#views;
    const count = head[headCells.counters] ?? 0;
    const start = head[headCells.nameUnits] ?? 0;
    if (count >= maxCounters || start + name.length > maxNameUnits) return undefined;
    const hash = hashOf(name);
    let slot = hash & (counterSlots - 1);
    while (slots[slot * slotSize + slotCells.state] !== 0) slot = (slot + 1) & (counterSlots - 1);
    for (let index = 0; index < name.length; index += 1) names[start + index] = name.charCodeAt(index);
    const at = slot * slotSize;
    slots[at + slotCells.hash] = hash;
    slots[at + slotCells.nameStart] = start;
    slots[at + slotCells.nameLength] = name.length;
    head[headCells.counters] = count + 1;
    head[headCells.nameUnits] = start + name.length;
    Atomics.store(slots, at + slotCells.state, 1);
    return slot;
  }
}
