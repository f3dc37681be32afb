/** Finds the plugin in a module's exports and checks its shape, before any of its functions is called. */
import { apiRelease, apiVersion, hookNames, isApiSupported, PluginError } from '@bifrost/sdk';
import type { ConfigSchema, HookName, HookReads, JsonObject, PluginContext } from '@bifrost/sdk';
import type { PluginHooks } from '@bifrost/core';
import { pluginNamePattern } from './plugin-entry.ts';
import { knownMembers, looksLikeMember, unknownMembers } from './plugin-members.ts';

/** Makes of an entry's `config` what may be stored or shown. */
export type ConfigView = (config: JsonObject) => unknown;

/** A plugin whose shape was checked; its functions were not called yet. */
export interface CheckedPlugin {
  readonly actualName?: string;
  readonly version?: string;
  readonly isGuard: boolean;
  readonly configSchema?: ConfigSchema<unknown>;
  readonly init?: (context: PluginContext<unknown>) => unknown;
  readonly cleanup?: (context: PluginContext<unknown>) => unknown;
  readonly marshalConfigForStorage?: ConfigView;
  readonly redactConfig?: ConfigView;
  readonly hooks: PluginHooks;
  /** `this` of its functions: the default export, or the module. */
  readonly self: object;
}

const hookOptions = ['handler', 'reads', 'order', 'filter', 'timeoutMs', 'onError', 'when', 'chunks', 'holdBack'];
const filterMembers = ['path', 'provider', 'model', 'isStream', 'header', 'sampling'];

const readsOf: { readonly [Name in HookName]: readonly HookReads[Name][] } = {
  httpTransportPreAuthHook: ['head', 'body'],
  httpTransportPreHook: ['head', 'body'],
  preRequestHook: ['head', 'messages', 'body'],
  preLLMHook: ['head', 'messages', 'body'],
  postLLMHook: ['head', 'messages'],
  streamEventHook: ['messages'],
  httpTransportResponseHeadersHook: ['head'],
  httpTransportStreamChunkHook: ['body'],
  httpTransportPostHook: ['head', 'body'],
  preMCPHook: ['body'],
  postMCPHook: ['body'],
  preMCPConnectionHook: ['body'],
  postMCPConnectionHook: ['body'],
  inject: ['head'],
};

type Members = Readonly<Record<string, unknown>>;

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(name: string, message: string): PluginError {
  return new PluginError(name, message, { code: 'BF_PLUGIN_SHAPE_INVALID' });
}

/** The object that holds the plugin's members: the default export, else the module with its named exports. */
function findMembers(name: string, module: unknown): Members {
  if (!isMembers(module)) throw invalid(name, 'the module has no exports');
  let main: unknown = module['default'];
  // A CommonJS file made from an ES module by a compiler.
  if (isMembers(main) && main['__esModule'] === true) main = main['default'] ?? main;
  const named = Object.keys(module).filter((key) => key !== 'default' && key !== 'module.exports');
  if (main === undefined) return namedMembers(name, module, named);
  if (!isMembers(main)) {
    const isClass = typeof main === 'function' && /^class\b/.test(Function.prototype.toString.call(main));
    const instead = isClass ? `new ${(main as { readonly name: string }).name}()` : 'definePlugin({ ... })';
    const what = isClass ? 'class' : typeof main;
    throw invalid(name, `its default export is a ${what}, expected an object: \`export default ${instead}\``);
  }
  const plugin = main;
  const lost =
    'module.exports' in module ? [] : named.filter((key) => looksLikeMember(key) && plugin[key] !== module[key]);
  if (lost[0] !== undefined) {
    throw invalid(
      name,
      `it exports ${lost.join(', ')} beside a default export: put ${lost.length === 1 ? 'it' : 'them'} into the default export`,
    );
  }
  const present = Object.keys(plugin).filter((key) => plugin[key] !== undefined);
  assertKnown(name, present, knownMembers);
  return plugin;
}

function namedMembers(name: string, module: Members, named: readonly string[]): Members {
  const meant = named.filter((key) => knownMembers.includes(key) || looksLikeMember(key));
  assertKnown(name, meant, knownMembers);
  if (meant.length > 0) return module;
  const has = named.length === 0 ? 'it exports nothing' : `it has no default export, only ${named.join(', ')}`;
  throw invalid(name, `${has}: write \`export default definePlugin({ ... })\``);
}

function assertKnown(name: string, members: readonly string[], known: readonly string[], where = ''): void {
  const problem = unknownMembers(members, known);
  if (problem !== undefined) throw invalid(name, `${where}${problem}`);
}

function assertMember(name: string, isRight: boolean, member: string, expected: string): void {
  if (!isRight) throw invalid(name, `\`${member}\` must be ${expected}`);
}

function isOptional(value: unknown, type: 'string' | 'boolean' | 'function'): boolean {
  return value === undefined || typeof value === type;
}

function checkFilter(name: string, hook: HookName, filter: unknown): void {
  if (filter === undefined) return;
  const at = `${hook}.filter`;
  if (!isMembers(filter)) throw invalid(name, `\`${at}\` must be an object`);
  assertKnown(name, Object.keys(filter), filterMembers, `in \`${at}\`: `);
  for (const key of ['path', 'provider', 'model']) {
    const globs = filter[key];
    const isRight =
      isOptional(globs, 'string') || (Array.isArray(globs) && globs.every((glob) => typeof glob === 'string'));
    assertMember(name, isRight, `${at}.${key}`, 'a glob or an array of globs');
  }
  const isEarly = hook === 'httpTransportPreAuthHook' || hook === 'httpTransportPreHook';
  if (isEarly && (filter['provider'] !== undefined || filter['model'] !== undefined)) {
    throw invalid(
      name,
      `\`${at}\` cannot ask for provider or model, which are not known before routing: use preRequestHook or preLLMHook`,
    );
  }
  assertMember(name, isOptional(filter['isStream'], 'boolean'), `${at}.isStream`, 'true or false');
  assertMember(name, isOptional(filter['header'], 'string'), `${at}.header`, 'a header name, or `name: glob`');
  const { sampling } = filter;
  const isShare = sampling === undefined || (typeof sampling === 'number' && sampling >= 0 && sampling <= 1);
  assertMember(name, isShare, `${at}.sampling`, 'a number from 0 to 1');
}

function isOnError(value: unknown, hook: HookName): boolean {
  if (value === undefined || value === 'continue' || value === 'skip') return true;
  if (value === 'deny') return hook !== 'inject';
  return isMembers(value) && Number.isInteger(value['disableAfter']) && Number(value['disableAfter']) >= 1;
}

function checkHook(name: string, hook: HookName, declared: unknown): void {
  if (typeof declared === 'function') return;
  if (!isMembers(declared)) throw invalid(name, `\`${hook}\` must be a function, or an object with a \`handler\``);
  assertKnown(name, Object.keys(declared), hookOptions, `in \`${hook}\`: `);
  const { handler, reads, order, timeoutMs, onError, when } = declared;
  assertMember(name, typeof handler === 'function', `${hook}.handler`, 'a function');
  const allowed: readonly unknown[] = readsOf[hook];
  assertMember(name, reads === undefined || allowed.includes(reads), `${hook}.reads`, `one of ${allowed.join(', ')}`);
  assertMember(name, order === undefined || order === 'pre' || order === 'post', `${hook}.order`, '"pre" or "post"');
  const isTime =
    timeoutMs === undefined || (typeof timeoutMs === 'number' && timeoutMs > 0 && timeoutMs <= 2_147_483_647);
  assertMember(name, isTime, `${hook}.timeoutMs`, 'a positive number of milliseconds');
  const policies = hook === 'inject' ? '"continue", "skip"' : '"continue", "deny", "skip"';
  assertMember(name, isOnError(onError, hook), `${hook}.onError`, `${policies} or { disableAfter: n }`);
  assertMember(name, isOptional(when, 'function'), `${hook}.when`, 'a function');
  checkFilter(name, hook, declared['filter']);
  checkChunks(name, hook, declared);
}

const chunkModes: readonly unknown[] = ['each', 'sentence', 'tool-call', 'end'];

function isPositive(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

function checkChunks(name: string, hook: HookName, { chunks, holdBack }: Members): void {
  if (chunks !== undefined) {
    const canChunk = hook === 'streamEventHook' || hook === 'postLLMHook';
    if (!canChunk) throw invalid(name, `\`${hook}\` knows no \`chunks\`: only streamEventHook and postLLMHook do`);
    const isBatch =
      isMembers(chunks) &&
      Object.keys(chunks).every((key) => (key === 'afterMs' || key === 'afterBytes') && isPositive(chunks[key])) &&
      Object.keys(chunks).length > 0;
    const expected = `one of ${chunkModes.join(', ')} or { afterMs, afterBytes }`;
    assertMember(name, chunkModes.includes(chunks) || isBatch, `${hook}.chunks`, expected);
  }
  if (holdBack === undefined) return;
  if (hook !== 'streamEventHook') throw invalid(name, `\`${hook}\` knows no \`holdBack\`: only streamEventHook does`);
  const isRight =
    isMembers(holdBack) &&
    isPositive(holdBack['characters']) &&
    (holdBack['maxBytes'] === undefined || isPositive(holdBack['maxBytes']));
  assertMember(name, isRight, `${hook}.holdBack`, '{ characters, maxBytes? } with positive numbers');
}

function checkApiVersion(name: string, stated: unknown): void {
  if (stated === undefined || stated === apiVersion) return;
  const isSupported = typeof stated === 'string' ? isApiSupported(stated) : undefined;
  if (isSupported === true) return;
  if (typeof stated !== 'string' || isSupported === undefined) {
    throw invalid(name, `\`apiVersion\` must be a string such as "${apiVersion}" or ">=1.0 <2"`);
  }
  throw new PluginError(
    name,
    `it was written for plugin API "${stated}"; this gateway has "${apiVersion}" (${apiRelease}). ` +
      'Use a version of the plugin for that API, or another gateway',
    { code: 'BF_PLUGIN_API_VERSION' },
  );
}

function isConfigSchema(value: unknown): value is ConfigSchema<unknown> {
  // Some libraries' schemas are functions with members.
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || !('~standard' in value))
    return false;
  const standard = value['~standard'];
  return isMembers(standard) && typeof standard['validate'] === 'function';
}

type LifeCycle = (context: PluginContext<unknown>) => unknown;

/** Checks API version, members, names and options of the plugin in `module`. Throws PluginError with the first fault. */
export function readPluginModule(name: string, module: unknown): CheckedPlugin {
  const plugin = findMembers(name, module);
  checkApiVersion(name, plugin['apiVersion']);
  const { name: actualName, version, guard, configSchema, init, cleanup } = plugin;
  const isNamed = actualName === undefined || (typeof actualName === 'string' && pluginNamePattern.test(actualName));
  assertMember(name, isNamed, 'name', 'letters, digits, ".", "_" and "-", at most 64');
  assertMember(name, isOptional(version, 'string'), 'version', 'a string');
  assertMember(name, isOptional(guard, 'boolean'), 'guard', 'true or false');
  assertMember(name, isOptional(init, 'function'), 'init', 'a function');
  assertMember(name, isOptional(cleanup, 'function'), 'cleanup', 'a function');
  assertMember(
    name,
    configSchema === undefined || isConfigSchema(configSchema),
    'configSchema',
    'a Standard Schema, such as one of zod, valibot or arktype',
  );
  const { marshalConfigForStorage, redactConfig } = plugin;
  assertMember(name, isOptional(marshalConfigForStorage, 'function'), 'marshalConfigForStorage', 'a function');
  assertMember(name, isOptional(redactConfig, 'function'), 'redactConfig', 'a function');
  const hooks: Record<string, unknown> = {};
  for (const hook of hookNames) {
    if (plugin[hook] === undefined) continue;
    checkHook(name, hook, plugin[hook]);
    hooks[hook] = plugin[hook];
  }
  if (Object.keys(hooks).length === 0 && init === undefined) {
    throw invalid(name, `it has no hook: export at least one of ${hookNames.join(', ')}`);
  }
  return {
    isGuard: guard === true,
    // Each was checked above.
    hooks: hooks as PluginHooks,
    self: plugin,
    ...(typeof actualName === 'string' ? { actualName } : {}),
    ...(typeof version === 'string' ? { version } : {}),
    ...(isConfigSchema(configSchema) ? { configSchema } : {}),
    ...(typeof init === 'function' ? { init: init as LifeCycle } : {}),
    ...(typeof cleanup === 'function' ? { cleanup: cleanup as LifeCycle } : {}),
    ...(typeof marshalConfigForStorage === 'function'
      ? { marshalConfigForStorage: marshalConfigForStorage as ConfigView }
      : {}),
    ...(typeof redactConfig === 'function' ? { redactConfig: redactConfig as ConfigView } : {}),
  };
}
