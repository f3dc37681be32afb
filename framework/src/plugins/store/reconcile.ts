/** Which entries are in force: those of the configuration file, and those that were made or changed at run time. */
import { createHash } from 'node:crypto';
import type { Json, JsonObject } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import type { StoredPlugin } from './plugin-store.ts';

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => sorted(item));
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).flatMap(([key, item]) =>
    item === undefined ? [] : [[key, sorted(item)] as const],
  );
  return Object.fromEntries(members.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Hash of an entry as the file says it, whatever the order of its keys. */
export function hashEntry(entry: JsonObject): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(entry)))
    .digest('hex');
}

export interface Reconciled {
  /** Entries in force, as a file would write them: the file's order, then those made at run time. */
  readonly entries: readonly JsonObject[];
  /** What is still needed of the store. */
  readonly stored: readonly StoredPlugin[];
  /** One sentence for each place where file and store say different things: nothing is reverted in silence. */
  readonly notes: readonly string[];
}

/**
 * An entry that was changed at run time stays as long as the file's entry is the one that it replaced; once somebody has edited the
 * file, the file wins. Plugins that only the store has stay; those that the file had and has no more go.
 */
export function reconcilePlugins(fileEntries: readonly JsonObject[], stored: readonly StoredPlugin[]): Reconciled {
  const byName = new Map(stored.map((plugin) => [plugin.name, plugin]));
  const entries: JsonObject[] = [];
  const kept: StoredPlugin[] = [];
  const notes: string[] = [];
  for (const entry of fileEntries) {
    const { name } = entry;
    if (typeof name !== 'string') continue;
    const own = byName.get(name);
    byName.delete(name);
    if (own === undefined) {
      entries.push(entry);
    } else if (own.replaces === hashEntry(entry)) {
      kept.push(own);
      if (own.file !== undefined) entries.push(own.file);
      const what = own.file === undefined ? 'was deleted' : 'was changed';
      notes.push(`plugin ${name} ${what} at run time: that stays until its entry in the file is edited`);
    } else {
      entries.push(entry);
      notes.push(`plugin ${name}: its entry in the file was edited, which replaces what was changed at run time`);
    }
  }
  for (const own of byName.values()) {
    if (own.file === undefined || own.replaces !== undefined) {
      if (own.file !== undefined)
        notes.push(`plugin ${own.name} is not in the file any more: its change at run time goes too`);
      continue;
    }
    entries.push(own.file);
    kept.push(own);
  }
  return { entries, stored: kept, notes };
}
