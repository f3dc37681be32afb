/** Names that a shared object offers and needs: its dynamic symbol table, measured by its hash tables. */
import { BinaryFault } from '../byte-view.ts';
import type { ElfDynamic } from './elf-dynamic.ts';
import type { ElfLayout } from './elf-layout.ts';

export interface ElfSymbols {
  /** Defined and visible to others. */
  readonly exports: readonly string[];
  /** Undefined here and not weak: some library has to have them. */
  readonly imports: readonly string[];
}

/** Large C++ libraries have some hundred thousand. */
const maxSymbols = 2_000_000;

/** DT_HASH states the count of symbols outright. */
function countByHash(layout: ElfLayout, at: number): number {
  return layout.view.u32(at + 4);
}

/** DT_GNU_HASH does not: the last chain of the highest bucket ends at the last symbol. */
function countByGnuHash(layout: ElfLayout, at: number): number {
  const { view, is64Bit } = layout;
  const [bucketCount, firstSymbol, bloomWords] = [view.u32(at), view.u32(at + 4), view.u32(at + 8)];
  const bucketsAt = at + 16 + bloomWords * (is64Bit ? 8 : 4);
  view.require(bucketsAt, bucketCount * 4, 'its hash table');
  let last = 0;
  for (let index = 0; index < bucketCount; index++) last = Math.max(last, view.u32(bucketsAt + index * 4));
  if (last < firstSymbol) return firstSymbol;
  const chainsAt = bucketsAt + bucketCount * 4;
  while ((view.u32(chainsAt + (last - firstSymbol) * 4) & 1) === 0) last += 1;
  return last + 1;
}

function countSymbols(layout: ElfLayout, { tables }: ElfDynamic): number {
  const section = layout.sections.find(({ name }) => name === '.dynsym');
  const symbolSize = layout.is64Bit ? 24 : 16;
  let count = 0;
  if (tables.hash !== undefined) count = countByHash(layout, tables.hash);
  else if (tables.gnuHash !== undefined) count = countByGnuHash(layout, tables.gnuHash);
  // A GNU hash table need not list undefined symbols at the end; the section, where it was kept, has them all.
  if (section !== undefined) count = Math.max(count, Math.floor(section.size / symbolSize));
  if (count > maxSymbols) throw new BinaryFault('malformed', `it claims to have ${count} symbols`);
  return count;
}

/** Reads the names. Throws BinaryFault. */
export function readElfSymbols(layout: ElfLayout, dynamic: ElfDynamic): ElfSymbols {
  const { view, is64Bit } = layout;
  const start = dynamic.tables.symbols;
  if (start === undefined) return { exports: [], imports: [] };
  const symbolSize = is64Bit ? 24 : 16;
  const count = countSymbols(layout, dynamic);
  view.require(start, count * symbolSize, 'its dynamic symbols');
  const [exports, imports]: [string[], string[]] = [[], []];
  // The first symbol is empty by definition.
  for (let index = 1; index < count; index++) {
    const at = start + index * symbolSize;
    const [binding, visibility] = [view.u8(at + (is64Bit ? 4 : 12)) >> 4, view.u8(at + (is64Bit ? 5 : 13)) & 3];
    const isLocal = binding === 0;
    if (isLocal || visibility === 1 || visibility === 2) continue;
    const isUndefined = view.u16(at + (is64Bit ? 6 : 14)) === 0;
    const isWeak = binding === 2;
    if (isUndefined && isWeak) continue;
    (isUndefined ? imports : exports).push(dynamic.text(view.u32(at)));
  }
  return { exports, imports };
}
