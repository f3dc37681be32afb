/**
 * Resolution of a plugin's modules, once per realm (thread): `@bifrost/sdk` is the host's own copy wherever the plugin lives,
 * and every file of a plugin carries a tag in its URL, `?plugin=NAME&g=N`. So two plugins on one file share no state, a later
 * generation gets fresh code with all its nested imports, and a stack trace names the plugin.
 */
import { realpathSync, statSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { dirname, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { hostSdkSource, hostSdkUrl } from './host-sdk.ts';

const sdkName = '@bifrost/sdk';
const modules = `${sep}node_modules${sep}`;

/** One import of one plugin. */
export interface PluginImport {
  readonly tag: string;
  /** Folder of the entry file: what lies below it is the plugin's own, also inside `node_modules`. */
  root: string | undefined;
  /** Files of the plugin in the order in which they were resolved. */
  readonly files: string[];
}

const importsByTag = new Map<string, PluginImport>();
let isRegistered = false;

function tagOf(url: string | undefined): string | undefined {
  const match = url === undefined ? null : /[?&](plugin=[^&]+&g=\d+(?:\.\d+)?)$/.exec(url);
  return match?.[1];
}

/** True for the plugin's own files: not those of packages that it depends on, which are shared as Node shares them. */
function isOwnFile(file: string, root: string | undefined): boolean {
  const inside = root !== undefined && file.startsWith(root + sep);
  return !(inside ? file.slice(root.length) : file).includes(modules);
}

/**
 * Node remembers for as long as the realm lives where links lead. Of what is imported by its path it is looked at anew: a link to the
 * release that serves, or of a mounted ConfigMap, leads elsewhere after a while.
 */
function currentUrl(specifier: string, parent: string | undefined, resolved: string): URL {
  const remembered = new URL(resolved);
  if (!/^(?:file:|\.{0,2}\/)/.test(specifier)) return remembered;
  try {
    const asked = fileURLToPath(new URL(specifier, parent));
    // `require` takes folders.
    if (!statSync(asked).isFile()) return remembered;
    const current = pathToFileURL(realpathSync.native(asked));
    current.search = remembered.search;
    return current;
  } catch {
    // No file of that name, as `require` leaves the ending out, or one that may not be looked at: as Node has found it.
    return remembered;
  }
}

type ResolveHook = NonNullable<Parameters<typeof registerHooks>[0]['resolve']>;
type LoadHook = NonNullable<Parameters<typeof registerHooks>[0]['load']>;

const resolveHook: ResolveHook = (specifier, context, next) => {
  if (specifier === sdkName) return { url: hostSdkUrl, format: 'module', shortCircuit: true };
  const tag = tagOf(context.parentURL) ?? tagOf(specifier);
  const plugin = tag === undefined ? undefined : importsByTag.get(tag);
  if (tag === undefined || plugin === undefined) return next(specifier, context);
  const resolved = next(specifier, context);
  if (!resolved.url.startsWith('file:')) return resolved;
  const url = currentUrl(specifier, context.parentURL, resolved.url);
  const file = fileURLToPath(url);
  if (plugin.files.length === 0) plugin.root = dirname(file);
  if (!isOwnFile(file, plugin.root)) return resolved;
  plugin.files.push(file);
  if (tagOf(resolved.url) === undefined) url.search = `?${tag}`;
  // A folder without "type" in its package.json: TypeScript plugins are ES modules, nothing has to be guessed.
  const isUntypedTypeScript =
    resolved.format !== 'module-typescript' && resolved.format !== 'commonjs-typescript' && file.endsWith('.ts');
  return { ...resolved, url: url.href, ...(isUntypedTypeScript ? { format: 'module-typescript' } : {}) };
};

const loadHook: LoadHook = (url, context, next) =>
  url === hostSdkUrl ? { format: 'module', source: hostSdkSource(), shortCircuit: true } : next(url, context);

/** Registers the import of `file` and returns what to pass to `import()`. Installs the hooks on first use. */
export function beginPluginImport(
  name: string,
  generation: string,
  file: string,
): { readonly specifier: string; readonly plugin: PluginImport } {
  if (!isRegistered) {
    registerHooks({ resolve: resolveHook, load: loadHook });
    isRegistered = true;
  }
  const tag = `plugin=${encodeURIComponent(name)}&g=${generation}`;
  const plugin: PluginImport = { tag, root: undefined, files: [] };
  importsByTag.set(tag, plugin);
  return { specifier: `${pathToFileURL(file).href}?${tag}`, plugin };
}

/** The plugin and generation that a stack trace's first tagged line names. */
export function pluginOfStack(stack: string): { readonly name: string; readonly generation: string } | undefined {
  const match = /[?&]plugin=([^&\s:)]+)&g=(\d+(?:\.\d+)?)/.exec(stack);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { name: decodeURIComponent(match[1]), generation: match[2] };
}
