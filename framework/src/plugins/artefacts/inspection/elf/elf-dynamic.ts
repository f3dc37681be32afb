/** The dynamic section: what the loader of the system is told (System V ABI, chapter 5; GNU's version and hash tags). */
import { BinaryFault } from '../byte-view.ts';
import { fileOffsetOf, segmentTypes } from './elf-layout.ts';
import type { ElfLayout } from './elf-layout.ts';

export interface ElfDynamic {
  readonly needed: readonly string[];
  readonly soname?: string;
  /** Folders to search, as written: `$ORIGIN` and the like are not replaced. */
  readonly rpath: readonly string[];
  readonly runpath: readonly string[];
  /** DF_1_PIE: an executable, though its type says shared object. */
  readonly isPositionIndependentExecutable: boolean;
  /** File offsets of tables, where there are such. */
  readonly tables: ElfDynamicTables;
  /** A text of the dynamic string table. */
  text(offset: number): string;
}

export interface ElfDynamicTables {
  readonly symbols?: number;
  readonly hash?: number;
  readonly gnuHash?: number;
  readonly versionNeeds?: number;
  readonly versionNeedCount: number;
  readonly versionDefinitions?: number;
  readonly versionDefinitionCount: number;
}

const tags = {
  needed: 1,
  hash: 4,
  strings: 5,
  symbols: 6,
  stringsSize: 10,
  soname: 14,
  rpath: 15,
  runpath: 29,
  gnuHash: 0x6ffffef5,
  flags1: 0x6ffffffb,
  versionDefinitions: 0x6ffffffc,
  versionDefinitionCount: 0x6ffffffd,
  versionNeeds: 0x6ffffffe,
  versionNeedCount: 0x6fffffff,
} as const;
const pieFlag = 0x0800_0000;
const maxEntries = 10_000;

function readEntries(layout: ElfLayout): readonly (readonly [tag: number, value: number])[] {
  const { view, is64Bit } = layout;
  const segment = layout.segments.find(({ type }) => type === segmentTypes.dynamic);
  if (segment === undefined) return [];
  view.require(segment.offset, segment.fileSize, 'its dynamic section');
  const entrySize = is64Bit ? 16 : 8;
  const entries: (readonly [number, number])[] = [];
  const count = Math.min(Math.floor(segment.fileSize / entrySize), maxEntries);
  for (let index = 0; index < count; index++) {
    const at = segment.offset + index * entrySize;
    const tag = is64Bit ? view.u64Saturated(at) : view.u32(at);
    if (tag === 0) break;
    entries.push([tag, is64Bit ? view.u64Saturated(at + 8) : view.u32(at + 4)]);
  }
  return entries;
}

/** Reads the dynamic section; all is empty in a file that has none. Throws BinaryFault. */
export function readElfDynamic(layout: ElfLayout): ElfDynamic {
  const entries = readEntries(layout);
  const first = (tag: number): number | undefined => entries.find((entry) => entry[0] === tag)?.[1];
  const place = (tag: number): number | undefined => {
    const address = first(tag);
    return address === undefined ? undefined : fileOffsetOf(layout, address);
  };
  const stringsAt = place(tags.strings);
  const stringsSize = first(tags.stringsSize) ?? 0;
  const text = (offset: number): string => {
    if (stringsAt === undefined || offset >= stringsSize) {
      throw new BinaryFault('malformed', 'a name outside its string table');
    }
    return layout.view.text(stringsAt + offset, stringsAt + stringsSize);
  };
  const texts = (tag: number): readonly string[] => entries.filter(([each]) => each === tag).map(([, at]) => text(at));
  const folders = (tag: number): readonly string[] =>
    texts(tag)
      .flatMap((list) => list.split(':'))
      .filter((folder) => folder !== '');
  const [soname] = texts(tags.soname);
  const offsets = {
    symbols: place(tags.symbols),
    hash: place(tags.hash),
    gnuHash: place(tags.gnuHash),
    versionNeeds: place(tags.versionNeeds),
    versionDefinitions: place(tags.versionDefinitions),
  };
  const present = Object.fromEntries(Object.entries(offsets).filter(([, offset]) => offset !== undefined));
  return {
    needed: texts(tags.needed),
    ...(soname === undefined ? {} : { soname }),
    rpath: folders(tags.rpath),
    runpath: folders(tags.runpath),
    isPositionIndependentExecutable: ((first(tags.flags1) ?? 0) & pieFlag) !== 0,
    tables: {
      ...present,
      versionNeedCount: first(tags.versionNeedCount) ?? 0,
      versionDefinitionCount: first(tags.versionDefinitionCount) ?? 0,
    },
    text,
  };
}
