import { builtinModules } from './builtin-modules.ts';

/** The plugins that come with the gateway: named in an entry without a path. They are loaded as anyone's are. */
export const builtinPlugins: readonly string[] = [...builtinModules.keys()];
