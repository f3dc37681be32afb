/** What a guest of `bifrost-plugin/1` says of itself in answer to `describe`, checked, with the manifest's word above it. */
import { hookNames } from '@bifrost/sdk';
import type { HookName, HookOptionsData, PluginManifest } from '@bifrost/sdk';
import { didYouMean } from '../../../../config/suggestion.ts';
import { wasmError } from '../wasm-error.ts';

export interface GuestDescription {
  readonly name?: string;
  readonly version?: string;
  readonly apiVersion?: string;
  readonly guard?: boolean;
  readonly hasMarshalConfigForStorage: boolean;
  readonly hasRedactConfig: boolean;
  readonly hooks: { readonly [Name in HookName]?: HookOptionsData };
}

const members = ['name', 'version', 'api', 'guard', 'hooks', 'marshalConfigForStorage', 'redactConfig'];

type Members = Readonly<Record<string, unknown>>;

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Checker {
  fail(message: string): never;
}

function optional<Type extends 'string' | 'boolean'>(
  checker: Checker,
  given: Members,
  member: string,
  type: Type,
): (Type extends 'string' ? string : boolean) | undefined {
  const value = given[member];
  if (value !== undefined && typeof value !== type) {
    checker.fail(`\`${member}\` must be a ${type}, got ${Array.isArray(value) ? 'an array' : typeof value}`);
  }
  // Its type was compared just above.
  return value as (Type extends 'string' ? string : boolean) | undefined;
}

function readHooks(checker: Checker, given: unknown): GuestDescription['hooks'] {
  if (given === undefined) return {};
  if (!isMembers(given)) checker.fail('`hooks` must be an object: {"preLLMHook": {"reads": "head"}, ...}');
  for (const [name, options] of Object.entries(given)) {
    if (!hookNames.includes(name as HookName)) {
      checker.fail(`unknown hook "${name}"${didYouMean(name, hookNames) || `; known are ${hookNames.join(', ')}`}`);
    }
    if (!isMembers(options)) checker.fail(`\`hooks.${name}\` must be an object of options, {} for none`);
    const excess = ['handler', 'when'].find((option) => option in options);
    if (excess !== undefined) checker.fail(`\`hooks.${name}\` cannot have \`${excess}\`, which is code`);
  }
  // The options' own shapes are checked where every plugin's are.
  return given;
}

/** `described` is the JSON value of `describe`, undefined where the guest answered nothing. Throws PluginError. */
export function readDescription(
  plugin: string,
  described: unknown,
  manifest: PluginManifest | undefined,
): GuestDescription {
  const checker: Checker = {
    fail(message) {
      throw wasmError(plugin, 'BF_PLUGIN_WASM_OUTPUT', `describe: ${message}`);
    },
  };
  if (described === undefined && manifest?.hooks === undefined) {
    checker.fail('it answered nothing, and no manifest states its hooks: one of both must');
  }
  const given = described ?? {};
  if (!isMembers(given)) checker.fail('it must answer an object');
  const unknown = Object.keys(given).find((member) => !members.includes(member));
  if (unknown !== undefined) checker.fail(`unknown member "${unknown}"${didYouMean(unknown, members)}`);
  const [name, version, apiVersion] = ['name', 'version', 'api'].map((member) =>
    optional(checker, given, member, 'string'),
  );
  const guard = manifest?.guard ?? optional(checker, given, 'guard', 'boolean');
  const hooks: Record<string, HookOptionsData> = { ...readHooks(checker, given['hooks']) };
  for (const [hook, options] of Object.entries(manifest?.hooks ?? {})) hooks[hook] = { ...hooks[hook], ...options };
  return {
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(guard === undefined ? {} : { guard }),
    hasMarshalConfigForStorage: optional(checker, given, 'marshalConfigForStorage', 'boolean') === true,
    hasRedactConfig: optional(checker, given, 'redactConfig', 'boolean') === true,
    hooks,
  };
}
