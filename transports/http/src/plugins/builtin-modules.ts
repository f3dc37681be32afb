type ImportModule = () => Promise<object>;

const modules: Readonly<Record<string, ImportModule>> = {
  guard: () => import('@bifrost/plugin-guard'),
  'json-parser': () => import('@bifrost/plugin-json-parser'),
  mocker: () => import('@bifrost/plugin-mocker'),
};

/** The modules of the plugins that come with the gateway; each is loaded where an entry names it. */
export const builtinModules: ReadonlyMap<string, ImportModule> = new Map(Object.entries(modules));
