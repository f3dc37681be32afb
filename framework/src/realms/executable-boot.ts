/**
 * What the executable runs first, in its main thread and (as text) in every thread of ours. In the executable's main script
 * `import()` knows only Node's own modules; here the ordinary loader is brought back and taught to find the program's modules,
 * which are carried as assets, under `bifrost:`. So our code, and plugins from disk, load as they do under plain Node.
 *
 * Bundled on its own, as CommonJS: it may import nothing but Node and what itself does so.
 */
import { enableCompileCache, registerHooks } from 'node:module';
import { constants, runInThisContext } from 'node:vm';
import { readAsset } from './asset.ts';

/** What a thread is to run; set in the lines before this text (start-thread.ts). */
declare const bifrostRealm: { readonly name: string; readonly compileCache?: string } | undefined;

const scheme = 'bifrost:';
const realmArgument = '--bifrost-realm=';

registerHooks({
  resolve(specifier, context, next) {
    const isOwn = specifier.startsWith(scheme);
    const isFromOwn = context.parentURL?.startsWith(scheme) === true && /^\.\.?\//.test(specifier);
    if (!isOwn && !isFromOwn) return next(specifier, context);
    return { url: new URL(specifier, context.parentURL).href, format: 'module', shortCircuit: true };
  },
  load(url, context, next) {
    if (!url.startsWith(scheme)) return next(url, context);
    return { format: 'module', source: readAsset(new URL(url).pathname.slice(1)).toString(), shortCircuit: true };
  },
});

/** The entry that was asked for: by the thread's starter, by the first argument, or the gateway. */
function takeEntryName(): string {
  if (typeof bifrostRealm !== 'undefined') {
    if (bifrostRealm.compileCache !== undefined) enableCompileCache(bifrostRealm.compileCache);
    return bifrostRealm.name;
  }
  const argument = process.argv[2];
  if (argument?.startsWith(realmArgument) !== true) return 'main';
  process.argv.splice(2, 1);
  return argument.slice(realmArgument.length);
}

// The cast: `runInThisContext` returns whatever the text is.
const importModule = runInThisContext('(url) => import(url)', {
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
}) as (url: string) => Promise<unknown>;

void importModule(`${scheme}///${takeEntryName()}.js`);
