import { isDeepStrictEqual } from 'node:util';
import type { PluginEntry } from '../plugin-entry.ts';

/** What of an entry may change under living instances: its place, and how it is watched over. */
const overLiving: ReadonlySet<string> = new Set<keyof PluginEntry>([
  'placement',
  'order',
  'required',
  'watch',
  'rollback',
  'probationMs',
]);

function ofInstances(entry: PluginEntry): object {
  const stated = Object.entries({ isolation: 'inline', ...entry }).filter(([key]) => !overLiving.has(key));
  return Object.fromEntries(stated.filter(([, value]) => value !== undefined));
}

/** The members of an entry that may change under living instances. */
export function overLivingOf(entry: PluginEntry): Partial<PluginEntry> {
  const own = Object.entries(entry).filter(([key, value]) => overLiving.has(key) && value !== undefined);
  // Filtering by name leaves each member's type.
  return Object.fromEntries(own) as Partial<PluginEntry>;
}

/** True where instances of the one entry serve for the other. */
export function isSameLoad(one: PluginEntry, other: PluginEntry): boolean {
  return isDeepStrictEqual(ofInstances(one), ofInstances(other));
}
