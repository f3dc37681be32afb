/** The admin API of the program: its credential, the store of changes made at run time, and what answers the calls. */
import { join } from 'node:path';
import type { Environment, LoadedConfig, ParsedPluginEntry } from '@bifrost/framework/config';
import type * as adminModule from '@bifrost/framework/admin';
import type { PluginStore, StoredPlugin } from '@bifrost/framework/admin';
import type { PluginManager } from '@bifrost/framework/plugin-manager';
import type { PluginEntry } from '@bifrost/framework/plugins';
import type { JsonObject } from '@bifrost/sdk';
import type { ExplanationLog } from '../admin/explain/explanation-log.ts';
import type { PluginAdmin as PluginAdminType } from '../admin/plugins/plugin-admin.ts';
import type { AdminHandler } from '../admin/admin-message.ts';
import { builtinConfigSchema } from '../plugins/builtin-manifests.ts';
import type { Logger } from '../logging/logger.ts';
import type { RecordingLink } from '../supervisor/recording-link.ts';

export interface ProgramAdminOptions {
  readonly environment: Environment;
  readonly appDirectory: string;
  readonly logger: Logger;
  /** Names of the plugins that come with the gateway. */
  readonly builtins: readonly string[];
}

/** What of the store and of the configuration file is in force. */
interface Entries {
  readonly fileEntries: readonly JsonObject[];
  readonly entries: readonly JsonObject[];
  readonly stored: readonly StoredPlugin[];
}

type AdminModule = typeof adminModule;
type ParseEntry = (file: JsonObject, environment: Environment) => ParsedPluginEntry;

export class ProgramAdmin {
  readonly #options: ProgramAdminOptions;
  readonly #parse: ParseEntry;
  readonly #admin: AdminModule;
  /** The token, where it was made at this start. */
  readonly newToken: string | undefined;
  readonly tokenHash: string;
  #entries: Entries | undefined;
  #plugins: PluginAdminType | undefined;

  private constructor(
    options: ProgramAdminOptions,
    modules: { readonly admin: AdminModule; readonly parse: ParseEntry },
  ) {
    const { environment, appDirectory, logger } = options;
    this.#options = options;
    this.#admin = modules.admin;
    this.#parse = modules.parse;
    const kind = modules.admin.adminToken;
    const credential = modules.admin.openStoredCredential(kind, {
      directory: appDirectory,
      given: environment[kind.variable],
    });
    if (credential.warning !== undefined) logger.warn(credential.warning);
    this.newToken = credential.newValue;
    this.tokenHash = credential.hash;
  }

  /** Opens the credential; throws GatewayError where it is wrong. */
  static async open(options: ProgramAdminOptions): Promise<ProgramAdmin> {
    const [admin, { parsePluginEntry }] = await Promise.all([
      import('@bifrost/framework/admin'),
      import('@bifrost/framework/config'),
    ]);
    return new ProgramAdmin(options, { admin, parse: parsePluginEntry });
  }

  /** The configuration with the plugins that were changed at run time. Says so where file and store differ. */
  async withStoredPlugins(config: LoadedConfig): Promise<LoadedConfig> {
    const { logger } = this.#options;
    const store = this.#store();
    const { entries, stored, notes } = this.#admin.reconcilePlugins(config.pluginFiles, await store.read());
    for (const note of notes) logger.info(note);
    this.#entries = { fileEntries: config.pluginFiles, entries, stored };
    if (entries.every((entry) => config.pluginFiles.includes(entry)) && entries.length === config.pluginFiles.length) {
      return config;
    }
    const fromFile = new Map(config.plugins.map((entry) => [entry.name, entry]));
    const plugins = entries.flatMap((file) => {
      const { name } = file;
      const isAsInFile = config.pluginFiles.includes(file) && typeof name === 'string';
      const same = isAsInFile ? fromFile.get(name) : undefined;
      return same ?? this.#parseStored(file);
    });
    return { ...config, plugins };
  }

  /** Makes what answers the calls. */
  async createHandler(
    manager: PluginManager,
    explanations: ExplanationLog,
    link: RecordingLink,
  ): Promise<AdminHandler> {
    const [{ AdminApp }, { PluginAdmin }, { ConfigViews }, { RecordingDesk }] = await Promise.all([
      import('../admin/admin-app.ts'),
      import('../admin/plugins/plugin-admin.ts'),
      import('../admin/plugins/config-views.ts'),
      import('@bifrost/framework/recordings'),
    ]);
    const { appDirectory, environment, logger } = this.#options;
    const schemaOf = (name: string): JsonObject | undefined =>
      manager.configSchemaOf(name) ?? builtinConfigSchema(name);
    const entries = this.#entries ?? { fileEntries: [], entries: [], stored: [] };
    const views = new ConfigViews({ ask: (...question) => manager.viewConfig(...question), schemaOf, log: logger });
    const admin = new PluginAdmin({
      manager,
      store: this.#store(),
      ...entries,
      parseEntry: (file) => this.#parse(file, environment),
      views,
      log: logger,
    });
    this.#plugins = admin;
    const pluginDirectory = join(appDirectory, 'plugins');
    const plugins = { admin, builtins: this.#options.builtins, pluginDirectory, views };
    const recordings = new RecordingDesk({
      directory: join(appDirectory, 'recordings'),
      announce: (orders) => link.announce(orders),
      onEnded: (plugin, summary) => {
        const { calls, requests, leftOut, failure } = summary;
        const fields = { plugin, calls, requests, leftOut, ...(failure === undefined ? {} : { failure }) };
        logger.info(`the recording of plugin ${plugin} has ended: ${summary.file}`, fields);
      },
    });
    link.attach(recordings);
    return new AdminApp({ logger, plugins, explanations, recordings });
  }

  /** As `PluginAdmin.hold`. */
  async holdChanges(isHeld: boolean): Promise<void> {
    await this.#plugins?.hold(isHeld);
  }

  #store(): PluginStore {
    return new this.#admin.FilePluginStore(join(this.#options.appDirectory, 'plugins.json'));
  }

  /** An entry of the store that cannot be used any more keeps the others from nothing. */
  #parseStored(file: JsonObject): readonly PluginEntry[] {
    const parsed = this.#parse(file, this.#options.environment);
    if ('entry' in parsed) return [parsed.entry];
    const problems = parsed.problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
    this.#options.logger.error(
      `the plugin ${JSON.stringify(file['name'])} that was changed at run time is left out: ${problems}`,
    );
    return [];
  }
}
