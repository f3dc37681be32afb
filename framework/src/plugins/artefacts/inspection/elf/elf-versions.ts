/** Symbol versions: which ones an object needs of which library (`GLIBC_2.38` of `libc.so.6`), and which it defines. */
import type { ElfDynamic } from './elf-dynamic.ts';
import type { ElfLayout } from './elf-layout.ts';

export interface ElfVersionNeed {
  /** The library's soname. */
  readonly library: string;
  readonly versions: readonly string[];
}

const weakFlag = 2;
/** Far above what libraries have; ends the walk over a damaged list. */
const maxVersions = 5000;

/** `.gnu.version_r`, without weak needs. Throws BinaryFault. */
export function readElfVersionNeeds(layout: ElfLayout, dynamic: ElfDynamic): readonly ElfVersionNeed[] {
  const { view } = layout;
  const needs: ElfVersionNeed[] = [];
  let at = dynamic.tables.versionNeeds;
  for (let left = Math.min(dynamic.tables.versionNeedCount, maxVersions); at !== undefined && left > 0; left--) {
    const [count, library, next] = [view.u16(at + 2), dynamic.text(view.u32(at + 4)), view.u32(at + 12)];
    const versions: string[] = [];
    let entryAt = at + view.u32(at + 8);
    for (let index = 0; index < Math.min(count, maxVersions); index++) {
      if ((view.u16(entryAt + 4) & weakFlag) === 0) versions.push(dynamic.text(view.u32(entryAt + 8)));
      const step = view.u32(entryAt + 12);
      if (step === 0) break;
      entryAt += step;
    }
    needs.push({ library, versions });
    at = next === 0 ? undefined : at + next;
  }
  return needs;
}

/** `.gnu.version_d`: names of the versions that the object defines, its own name first. Throws BinaryFault. */
export function readElfVersionDefinitions(layout: ElfLayout, dynamic: ElfDynamic): readonly string[] {
  const { view } = layout;
  const names: string[] = [];
  let at = dynamic.tables.versionDefinitions;
  for (let left = Math.min(dynamic.tables.versionDefinitionCount, maxVersions); at !== undefined && left > 0; left--) {
    const [count, entryAt, next] = [view.u16(at + 6), at + view.u32(at + 12), view.u32(at + 16)];
    if (count > 0) names.push(dynamic.text(view.u32(entryAt)));
    at = next === 0 ? undefined : at + next;
  }
  return names;
}
