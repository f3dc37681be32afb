/** A plugin whose hooks are calls into a guest of `bifrost-plugin/1`. */
import { hookNames } from '@bifrost/sdk';
import type { HookContext, HookName, JsonObject, PluginContext, RequestFacts } from '@bifrost/sdk';
import type { Guest } from '../guest.ts';
import type { HostScope } from '../host-scope.ts';
import type { GuestDescription } from './description.ts';
import type { Exchange } from './exchange.ts';
import { encoderOf, placerOf } from './hook-values.ts';

export interface GuestPluginParts {
  readonly guest: Guest;
  readonly exchange: Exchange;
  readonly scope: HostScope;
}

/** The facts of a request are the same frozen object until they change: each is written as JSON once. */
const factsTexts = new WeakMap<RequestFacts, string>();

function factsText(facts: RequestFacts): string {
  const known = factsTexts.get(facts);
  if (known !== undefined) return known;
  const text = JSON.stringify(facts);
  if (Object.isFrozen(facts)) factsTexts.set(facts, text);
  return text;
}

function hookHandler(hook: HookName, { exchange, scope }: GuestPluginParts) {
  const encode = encoderOf(hook);
  const place = placerOf(hook);
  return (context: HookContext, input: unknown): unknown => {
    const { json, attachments } = encode(input);
    scope.hook = context;
    try {
      const answer = exchange.call(hook, `{"facts":${factsText(context.facts)},"input":${json}}`, attachments);
      return answer === undefined ? undefined : place(answer);
    } finally {
      scope.hook = undefined;
    }
  };
}

function configView(operation: 'marshalConfigForStorage' | 'redactConfig', { exchange }: GuestPluginParts) {
  return (config: JsonObject): unknown => exchange.call(operation, JSON.stringify(config))?.value ?? config;
}

/** The plugin in the shape that a module would export. */
export function createGuestPlugin(description: GuestDescription, parts: GuestPluginParts): object {
  const { guest, exchange, scope } = parts;
  const { name, version, apiVersion, guard } = description;
  const plugin: Record<string, unknown> = { name, version, apiVersion, guard };
  for (const hook of hookNames) {
    const options = description.hooks[hook];
    if (options !== undefined) plugin[hook] = { ...options, handler: hookHandler(hook, parts) };
  }
  plugin['init'] = (context: PluginContext): void => {
    scope.base = context;
    const json = JSON.stringify({ name: context.name, config: context.config });
    guest.start({
      begin: (live) => void exchange.callLive(live, 'init', json),
      end: (live) => void exchange.callLive(live, 'cleanup', 'null'),
    });
  };
  plugin['cleanup'] = (): void => guest.stop();
  if (description.hasMarshalConfigForStorage) {
    plugin['marshalConfigForStorage'] = configView('marshalConfigForStorage', parts);
  }
  if (description.hasRedactConfig) plugin['redactConfig'] = configView('redactConfig', parts);
  return plugin;
}
