import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { ProviderConfig, ProviderDefinition } from '@bifrost/core';
import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';
import { collectPlugins } from './collect-plugins.ts';
import type { ConfigFile } from './file-schema.ts';
import { unusedSections } from './file-schema.ts';
import { parseJsonText } from './json-text.ts';
import { environmentProviders, laterProviders } from './known-names.ts';
import type { ConfigNote, LoadedConfig } from './loaded-config.ts';
import { ConfigProblemsError } from './problem.ts';
import type { ProviderFile } from './provider-schema.ts';
import type { Environment } from './references.ts';
import { describeUnusedClientKeys, resolveClient, resolveInferenceAccess } from './resolve-client.ts';
import { resolvePluginTrust } from './plugin-trust-schema.ts';
import { resolveFramework } from './resolve-framework.ts';
import { resolvePlugins } from './resolve-plugins.ts';
import { createProviderContext, resolveProvider } from './resolve-provider.ts';
import type { ProviderReport } from './resolve-provider.ts';
import { didYouMean } from './suggestion.ts';
import { validateFile } from './validate-file.ts';

/** What the configuration needs to know of the engine's providers. */
export interface ProviderCatalogue {
  /** Provider name -> definition; an embedded one is always configured. */
  readonly definitions: ReadonlyMap<string, ProviderDefinition>;
  /** The definition of a custom provider; undefined where the base type has none. */
  createCustom(
    name: string,
    options: {
      readonly baseProviderType: string;
      readonly baseUrl: string;
      readonly isKeyless: boolean;
      readonly hasNoDoneMarker: boolean;
    },
  ): ProviderDefinition | undefined;
}

export interface LoadConfigOptions {
  readonly catalogue: ProviderCatalogue;
  readonly environment: Environment;
  /** Must exist. Without it `config.json` in `appDirectory` is read, if there is one. */
  readonly path?: string;
  readonly appDirectory?: string;
  /** A folder of plugins, from the working directory on; it takes the place of the file's `plugins_dir`. */
  readonly pluginsDirectory?: string;
  /** Plugins that come with the gateway: what lies in the folder cannot take their place. */
  readonly builtinPlugins?: readonly string[];
  /** The configuration itself, for a caller that has no file. */
  readonly text?: string;
}

interface ConfigText {
  readonly source: string;
  readonly directory: string;
  readonly text: string;
}

/** The text of the file in force; undefined where there is none. Throws ConfigProblemsError for a file that cannot be read. */
function readConfigText(options: LoadConfigOptions): ConfigText | undefined {
  if (options.text !== undefined) return { source: 'config', directory: process.cwd(), text: options.text };
  const inAppDirectory = options.appDirectory === undefined ? undefined : join(options.appDirectory, 'config.json');
  const path = options.path ?? inAppDirectory;
  if (path === undefined) return undefined;
  try {
    return { source: path, directory: dirname(resolve(path)), text: readFileSync(path, 'utf8') };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (code === 'ENOENT' && options.path === undefined) return undefined;
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: `there is no such file${isAbsolute(path) ? '' : ` (working directory ${process.cwd()})`}`,
      EISDIR: `this is a directory; expected a JSON file${existsSync(join(path, 'config.json')) ? `; did you mean ${join(path, 'config.json')}?` : ''}`,
      EACCES: 'this user may not read the file',
    };
    throw new ConfigProblemsError(path, [{ path: '', message: reasons[code] ?? `the file cannot be read (${code})` }]);
  }
}

/** The entries of `plugins` as they stand in the file, with their references. */
function pluginFilesOf(root: Json): readonly JsonObject[] {
  const plugins = isJsonObject(root) ? root['plugins'] : undefined;
  return Array.isArray(plugins) ? (plugins as readonly Json[]).filter(isJsonObject) : [];
}

interface ParsedFile {
  readonly file: ConfigFile;
  readonly pluginFiles: readonly JsonObject[];
}

function parseFile({ text, source }: ConfigText, environment: Environment): ParsedFile {
  const json = parseJsonText(text);
  if ('error' in json) {
    const place = `line ${json.position.line}, column ${json.position.column}: `;
    throw new ConfigProblemsError(source, [{ path: '', message: `${place}not valid JSON: ${json.error}` }]);
  }
  const result = validateFile(json.value, environment);
  if ('problems' in result) throw new ConfigProblemsError(source, result.problems);
  return { file: result.file, pluginFiles: pluginFilesOf(json.value) };
}

function fileFromEnvironment(environment: Environment): ParsedFile {
  const providers: Record<string, ProviderFile> = {};
  for (const { variable, provider } of environmentProviders) {
    const value = environment[variable];
    if (value) providers[provider] = { keys: [{ name: variable, value }] };
  }
  return { file: { providers }, pluginFiles: [] };
}

/** An embedded provider answers at once: nothing is gained by queueing for it. */
const embeddedProvider: ProviderFile = { concurrency_and_buffer_size: { concurrency: 100_000, buffer_size: 100_000 } };

class ProviderResolver {
  readonly report: ProviderReport = { problems: [], unusedPaths: [] };
  readonly #options: LoadConfigOptions;
  readonly #version: 1 | 2;

  constructor(options: LoadConfigOptions, version: 1 | 2) {
    this.#options = options;
    this.#version = version;
  }

  resolve(name: string, file: ProviderFile): ProviderConfig | undefined {
    const definition = this.#definitionOf(name, file);
    if (definition === undefined) return undefined;
    const isKeyless = (file.custom_provider_config?.is_key_less ?? false) || definition.isKeyless === true;
    const context = createProviderContext(this.report, {
      provider: name,
      definition,
      isKeyless,
      version: this.#version,
    });
    return resolveProvider(file, context);
  }

  #definitionOf(name: string, file: ProviderFile): ProviderDefinition | undefined {
    const { catalogue } = this.#options;
    const { definitions } = catalogue;
    const custom = file.custom_provider_config;
    const path = `providers.${name}`;
    const known = definitions.get(name);
    if (known !== undefined) {
      if (custom !== undefined) {
        const message = `${name} is a built-in provider; give the custom provider a name of its own`;
        this.report.problems.push({ path: `${path}.custom_provider_config`, message });
      }
      return known;
    }
    if (custom === undefined) {
      if (laterProviders.has(name)) this.report.unusedPaths.push(path);
      else {
        const message = `unknown provider${didYouMean(name, definitions.keys())} A provider of your own needs custom_provider_config`;
        this.report.problems.push({ path, message });
      }
      return undefined;
    }
    const baseUrl = file.network_config?.base_url ?? '';
    if (baseUrl === '') {
      this.report.problems.push({
        path: `${path}.network_config.base_url`,
        message: 'is missing; a custom provider needs one',
      });
    }
    const options = {
      baseProviderType: custom.base_provider_type,
      baseUrl,
      isKeyless: custom.is_key_less ?? false,
      hasNoDoneMarker: custom.does_not_send_done_marker ?? false,
    };
    const definition = catalogue.createCustom(name, options);
    if (definition === undefined) {
      const message = `no provider of this type can be the base of a custom one${didYouMean(custom.base_provider_type, definitions.keys())}`;
      this.report.problems.push({ path: `${path}.custom_provider_config.base_provider_type`, message });
    }
    return definition;
  }
}

/**
 * Reads, checks and resolves the configuration. Without a file: providers from well-known environment variables. Embedded
 * providers are always there. Throws ConfigProblemsError with every problem at once.
 */
export function loadConfig(options: LoadConfigOptions): LoadedConfig {
  const text = readConfigText(options);
  const parsed = text === undefined ? fileFromEnvironment(options.environment) : parseFile(text, options.environment);
  const { file } = parsed;
  const directory = text?.directory ?? process.cwd();
  const source = text?.source ?? 'the environment';
  const resolver = new ProviderResolver(options, file.version ?? 2);
  const providers = new Map<string, ProviderConfig>();
  for (const [name, entry] of Object.entries(file.providers ?? {})) {
    const provider = resolver.resolve(name, entry);
    if (provider !== undefined) providers.set(name, provider);
  }
  for (const [name, definition] of options.catalogue.definitions) {
    if (definition.isEmbedded !== true || providers.has(name)) continue;
    const provider = resolver.resolve(name, embeddedProvider);
    if (provider !== undefined) providers.set(name, provider);
  }
  const { problems, unusedPaths } = resolver.report;
  const collected = collectPlugins({ ...parsed, directory }, options);
  const plugins = resolvePlugins(collected.entries);
  const framework = resolveFramework(file.framework, { directory, providers: new Set(providers.keys()) });
  problems.push(...collected.problems, ...plugins.problems, ...framework.problems);
  if (problems.length > 0) throw new ConfigProblemsError(source, problems);
  const unused = [
    ...unusedSections.filter((section) => section in file).map((section) => section),
    ...unusedPaths,
    ...framework.unused,
    ...plugins.unused.map((name) => `plugins[${name}]`),
  ];
  const notes: ConfigNote[] = [...framework.notes, ...collected.notes, ...describeUnusedClientKeys(file.client ?? {})];
  if (unused.length > 0) notes.unshift({ level: 'info', message: `not used yet: ${unused.join(', ')}` });
  return {
    source,
    directory,
    providers,
    client: resolveClient(file.client ?? {}),
    allowedHeaders: file.client?.allowed_headers ?? [],
    inferenceAccess: resolveInferenceAccess(file.client ?? {}),
    plugins: plugins.entries,
    pluginFiles: collected.files,
    pluginTrust: resolvePluginTrust(file.plugin_trust),
    models: framework.models,
    notes,
  };
}
