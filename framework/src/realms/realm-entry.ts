import { executableScheme, packaging } from './packaging.ts';

/** A module of ours that is the first one of a thread or child process. */
export interface RealmEntry {
  /** Name of its file in the bundle, without `.js`. */
  readonly name: string;
  /** URL of its TypeScript file in the repository. */
  readonly source: string;
}

/**
 * Declares an entry: `realmEntry('plugin-worker', new URL('./plugin-worker-main.ts', import.meta.url))`. Write it in exactly this
 * form, as the bundler finds the entries by it; nothing else has to be registered.
 */
export function realmEntry(name: string, source: URL): RealmEntry {
  return { name, source: source.href };
}

/** URL under which the entry can be imported in the running program. */
export function entryUrl(entry: RealmEntry): string {
  switch (packaging) {
    case 'source':
      return entry.source;
    case 'bundle':
      return new URL(`./${entry.name}.js`, import.meta.url).href;
    case 'executable':
      return `${executableScheme}///${entry.name}.js`;
  }
}
