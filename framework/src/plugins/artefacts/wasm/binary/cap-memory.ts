/**
 * Holds a module to its memory cap by writing the limits of its memory and tables anew before it is compiled: `memory.grow` beyond
 * the cap then fails inside the module, as its author expects it to, and nothing has to be checked at run time.
 */
import type { Limits, WasmBinary } from './read-wasm.ts';

export const pageBytes = 65_536;

/** Elements that a table may grow to beyond its minimum; each is a pointer in the host's own memory. */
const maxTableElements = 65_536;

function writeU32(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest === 0 ? low : low + 128);
  } while (rest !== 0);
  return bytes;
}

function writeLimits({ minimum }: Limits, maximum: number): number[] {
  return [1, ...writeU32(minimum), ...writeU32(maximum)];
}

function cap({ minimum, maximum }: Limits, most: number): number {
  return Math.max(minimum, Math.min(maximum ?? most, most));
}

function writeSection(id: number, entries: readonly (readonly number[])[]): Uint8Array {
  const content = [...writeU32(entries.length), ...entries.flat()];
  return Uint8Array.from([id, ...writeU32(content.length), ...content]);
}

/** `bytes` with no memory above `maxPages` and no table above 65,536 elements; a lower maximum of the module's own is kept. */
export function capMemory(bytes: Uint8Array, binary: WasmBinary, maxPages: number): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [bytes.subarray(0, 8)];
  for (const { id, start, end } of binary.sections) {
    if (id === 4) {
      const tables = binary.tables.map((table) => [
        table.type,
        ...writeLimits(table.limits, cap(table.limits, maxTableElements)),
      ]);
      parts.push(writeSection(id, tables));
    } else if (id === 5) {
      parts.push(
        writeSection(
          id,
          binary.memories.map((limits) => writeLimits(limits, cap(limits, maxPages))),
        ),
      );
    } else parts.push(bytes.subarray(start, end));
  }
  return Buffer.concat(parts);
}
