import { hookNames } from '@bifrost/sdk';
import { describeChecked } from '../../describe-plugin.ts';
import { readPluginModule } from '../../read-plugin-module.ts';
import type { PluginDescription } from '../remote-plugin.ts';

type Claimed = { readonly [Member in keyof PluginDescription]?: unknown };

const notHere = (): never => {
  throw new Error('the plugin runs elsewhere');
};

function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A description comes out of the plugin's own realm, which may say anything: it is checked like a plugin's own declarations, and what comes
 * back holds nothing else. Throws PluginError with the first fault.
 */
export function readDescription(name: string, claimed: object): PluginDescription {
  const { hooks, actualName, version, isGuard, configViews }: Claimed = claimed;
  const plugin: Record<string, unknown> = { name: actualName, version, guard: isGuard, init: notHere };
  for (const hook of hookNames) {
    const options = isMembers(hooks) ? hooks[hook] : undefined;
    if (options !== undefined) plugin[hook] = isMembers(options) ? { ...options, handler: notHere } : options;
  }
  for (const view of ['marshalConfigForStorage', 'redactConfig']) {
    if (Array.isArray(configViews) && configViews.includes(view)) plugin[view] = notHere;
  }
  return describeChecked(readPluginModule(name, { default: plugin }));
}

/** What a plugin that could not be loaded claims to be: as far as it can be read, and else by the names of its hooks. */
export function readClaim(name: string, claimed: object | undefined): PluginDescription | undefined {
  if (claimed === undefined) return undefined;
  try {
    return readDescription(name, claimed);
  } catch {
    // Why it failed is being told already; a guard must be known as one all the same.
    const { hooks, isGuard }: Claimed = claimed;
    const known = isMembers(hooks) ? hookNames.filter((hook) => hooks[hook] !== undefined) : [];
    return { isGuard: isGuard === true, hooks: Object.fromEntries(known.map((hook) => [hook, {}])) };
  }
}
