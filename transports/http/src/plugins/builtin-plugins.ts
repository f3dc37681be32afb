import { realmEntry } from '@bifrost/framework/realms';
import type { RealmEntry } from '@bifrost/framework/realms';

/** What the plugins that come with the gateway are loaded from, in every isolation and packaging. */
export const builtinEntries: ReadonlyMap<string, RealmEntry> = new Map([
  ['guard', realmEntry('builtin-guard', new URL('../../../../plugins/guard/src/index.ts', import.meta.url))],
  [
    'json-parser',
    realmEntry('builtin-json-parser', new URL('../../../../plugins/json-parser/src/index.ts', import.meta.url)),
  ],
  ['mocker', realmEntry('builtin-mocker', new URL('../../../../plugins/mocker/src/index.ts', import.meta.url))],
]);

/** The plugins that come with the gateway: named in an entry without a path. They are loaded as anyone's are. */
export const builtinPlugins: readonly string[] = [...builtinEntries.keys()];
