/**
 * How the memory of `ctx.shared` is divided. It lives in one SharedArrayBuffer per plugin, which the main thread owns:
 *
 * - head: Int32 cells, see `headCells`;
 * - counters: an open-addressed table; a slot's name is written before its state is published and never changes after that, so
 *   finding and adding need no lock;
 * - names: UTF-16 units of the counters' names, one after the other;
 * - values: two regions. The one that the version's lowest bit names is read; a writer fills the other and then raises the
 *   version. A thread that is ended in the middle of a write so leaves the old values whole.
 *
 * The system gives pages of zeros on first touch: a plugin that shares nothing costs address space only.
 */
export const maxCounters = 1024;
export const maxValues = 256;
/** UTF-16 units of all keys and JSON texts together. */
export const maxValueUnits = 65_536;
/** UTF-16 units of all counters' names together. */
export const maxNameUnits = 65_536;

/** Twice the counters: probes stay short. A power of two. */
export const counterSlots = 2048;

/** Int32 cells of the head. `lock` is 0 or the token of the thread that writes. */
export const headCells = { lock: 0, version: 1, counters: 2, nameUnits: 3 } as const;
const headBytes = 64;

/** Int32 cells of a counter's slot. `state` is 0 while it is free and 1 once its name can be read. */
export const slotCells = { state: 0, hash: 1, nameStart: 2, nameLength: 3 } as const;
export const slotSize = 4;

/** Uint16 units before each value: key length, and the text's length as two halves. */
export const entryHead = 3;
/** The first units of a region: how many values it has, and how many units they take, as two halves. */
export const regionHead = 3;
const regionUnits = regionHead + maxValueUnits + maxValues * entryHead;

const slotsBytes = counterSlots * slotSize * 4;
const totalsBytes = counterSlots * 8;
const namesBytes = maxNameUnits * 2;

export interface SharedViews {
  readonly head: Int32Array;
  readonly slots: Int32Array;
  readonly totals: BigInt64Array;
  readonly names: Uint16Array;
  readonly regions: readonly [Uint16Array, Uint16Array];
}

/** Memory for one plugin's shared state, all zeros: empty. */
export function createSharedStateBuffer(): SharedArrayBuffer {
  return new SharedArrayBuffer(headBytes + totalsBytes + slotsBytes + namesBytes + 2 * regionUnits * 2);
}

export function viewsOf(buffer: SharedArrayBuffer): SharedViews {
  const totalsAt = headBytes;
  const slotsAt = totalsAt + totalsBytes;
  const namesAt = slotsAt + slotsBytes;
  const regionsAt = namesAt + namesBytes;
  return {
    head: new Int32Array(buffer, 0, headBytes / 4),
    totals: new BigInt64Array(buffer, totalsAt, counterSlots),
    slots: new Int32Array(buffer, slotsAt, counterSlots * slotSize),
    names: new Uint16Array(buffer, namesAt, maxNameUnits),
    regions: [
      new Uint16Array(buffer, regionsAt, regionUnits),
      new Uint16Array(buffer, regionsAt + regionUnits * 2, regionUnits),
    ],
  };
}
