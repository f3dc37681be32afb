/**
 * What is known of a plugin that could not be loaded. A guard must fail closed also where it never served: whoever finds out what the
 * plugin is before it fails says so with the error.
 */
import { hookNames } from '@bifrost/sdk';
import type { PluginManifest } from '@bifrost/sdk';
import type { PluginEntry } from './plugin-entry.ts';
import type { PluginDescription } from './remote/remote-plugin.ts';

const descriptions = new WeakMap<object, PluginDescription>();

/** Says with `error` what plugin it kept from being loaded; what was said before stays. Returns the error. */
export function describeFailure<Thrown>(error: Thrown, description: PluginDescription | undefined): Thrown {
  if (description === undefined || typeof error !== 'object' || error === null || descriptions.has(error)) return error;
  descriptions.set(error, description);
  return error;
}

/** What was said of the plugin whose load failed with `error`. */
export function describedFailure(error: unknown): PluginDescription | undefined {
  return typeof error === 'object' && error !== null ? descriptions.get(error) : undefined;
}

type Members = Readonly<Record<string, unknown>>;

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null;
}

/** What an imported module claims to be, whatever else is wrong with it; undefined for what claims nothing. */
export function claimedByModule(module: unknown): PluginDescription | undefined {
  try {
    const main: unknown = isMembers(module) ? (module['default'] ?? module) : undefined;
    if (!isMembers(main)) return undefined;
    const hooks = hookNames.filter((hook) => main[hook] !== undefined);
    return { isGuard: main['guard'] === true, hooks: Object.fromEntries(hooks.map((hook) => [hook, {}])) };
  } catch {
    // A getter of the plugin threw: it claims nothing.
    return undefined;
  }
}

/** What a manifest claims; undefined where it does not claim to be of a guard. */
export function claimedByManifest(manifest: PluginManifest | undefined): PluginDescription | undefined {
  return manifest?.guard === true ? { isGuard: true, hooks: manifest.hooks ?? {} } : undefined;
}

/** The hooks that every request comes through: what a guard is taken to see where nobody knows what it would have seen. */
const entrances: PluginDescription['hooks'] = {
  httpTransportPreHook: {},
  preRequestHook: {},
  preMCPHook: {},
  preMCPConnectionHook: {},
};

type Statement = Pick<PluginEntry, 'guard' | 'onLoadFailure'>;

/** Whether the operator, or the plugin as far as it is known (`said`), says that it is a guard. */
export function isClaimedGuard({ guard }: Statement, said: PluginDescription | undefined): boolean {
  return guard === true || said?.isGuard === true;
}

/**
 * What refuses requests in the place of a plugin that could not be loaded: the hooks that it is known to have, and the entrances where
 * none of them could refuse. Undefined where requests pass without it.
 */
export function standInFor(entry: Statement, said: PluginDescription | undefined): PluginDescription | undefined {
  const { onLoadFailure } = entry;
  if (onLoadFailure === 'continue' || (onLoadFailure !== 'deny' && !isClaimedGuard(entry, said))) return undefined;
  const hooks = Object.entries(said?.hooks ?? {}).filter(([hook]) => hook !== 'inject');
  return { isGuard: true, hooks: hooks.length === 0 ? entrances : Object.fromEntries(hooks) };
}
