/**
 * Runs one plugin inside a worker thread or a child process: loads it as a serving thread would load it, and answers the calls of
 * every serving thread. Knows nothing of how it is reached: `RunnerHost` is the realm's side of that.
 */
import { messageOf } from '@bifrost/core/plugins';
import { PluginError } from '@bifrost/sdk';
import type { JsonObject, ModelInfo, PluginLog, SharedState } from '@bifrost/sdk';
import type { ConfigViewName } from '../../config-view.ts';
import type { Channel } from '../channel.ts';
import type { FromRunner, RunnerStage, RunnerStart } from '../control.ts';
import { cutText, plainFields } from '../log-line.ts';
import type { RunnerMessage, ThreadMessage } from '../protocol.ts';
import { describePlugin } from '../../describe-plugin.ts';
import { describedFailure } from '../../failed-description.ts';
import { loadPlugin } from '../../load-plugin.ts';
import type { ArtefactLoaders, LoadedPlugin, LoadOptions } from '../../load-plugin.ts';
import { KnownModels } from './known-models.ts';
import { RunnerConnection } from './runner-connection.ts';
import type { ActivityMark } from './runner-connection.ts';

/** Characters of what is said of work that failed. */
const maxMessage = 8192;

/** What a realm gives to its runner. */
export interface RunnerHost {
  /** Must arrive before anything that runs next may block the realm. */
  send(message: FromRunner): void;
  readonly activity: ActivityMark;
  readonly importModule: (specifier: string) => Promise<unknown>;
  readonly loaders: ArtefactLoaders;
  /** `ctx.shared` where others share it. @default of its own */
  readonly shared?: (plugin: string) => SharedState;
  /** Says of a refusal by the realm what was refused and how to grant it; anything else comes back as it is. */
  explain(thrown: unknown): unknown;
}

/** A log whose lines are sent, cut to a bound: a plugin must not fill the gateway's memory through it. */
function sendingLog(send: (message: FromRunner) => void): PluginLog {
  const write = (level: keyof PluginLog) => (message: string, fields?: JsonObject) => {
    send({ kind: 'log', level, message: cutText(message), fields: plainFields(fields) });
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

export class PluginRunner {
  readonly #host: RunnerHost;
  readonly #models = new KnownModels();
  #loaded: LoadedPlugin | undefined;
  #areInputsFrozen = false;

  constructor(host: RunnerHost) {
    this.#host = host;
  }

  /** Loads the plugin and says `ready` or `failed`. Never rejects. */
  async start(start: RunnerStart): Promise<void> {
    this.#areInputsFrozen = start.areInputsFrozen;
    this.learn(start.models ?? []);
    try {
      this.#loaded = await this.#load(start);
      const description = describePlugin(this.#loaded);
      this.#stage('hooks');
      this.#host.send({ kind: 'ready', description });
    } catch (thrown) {
      const error = this.#host.explain(thrown);
      const code = PluginError.isInstance(error) ? error.code : 'BF_PLUGIN_LOAD_FAILED';
      const message = error instanceof Error ? error.message : String(error);
      const description = describedFailure(thrown);
      this.#host.send({ kind: 'failed', code, message, ...(description === undefined ? {} : { description }) });
    }
  }

  /** Takes over what the gateway's catalogue has learnt. */
  learn(models: readonly ModelInfo[]): void {
    for (const info of models) this.#models.add(info);
  }

  /** Answers the calls of a serving thread. */
  connect(channel: Channel<RunnerMessage, ThreadMessage>): void {
    if (this.#loaded === undefined) return;
    new RunnerConnection(channel, {
      instance: this.#loaded.instance,
      areInputsFrozen: this.#areInputsFrozen,
      activity: this.#host.activity,
      onModelInfo: (info) => this.#models.add(info),
      explain: (thrown) => this.#host.explain(thrown),
    });
  }

  /** Asks the plugin what of a config is stored, or shown. Never rejects. */
  async view(id: number, view: ConfigViewName, config: JsonObject): Promise<void> {
    try {
      const value = await this.#loaded?.viewConfig?.(view, config);
      this.#host.send({ kind: 'viewed', id, ...(value === undefined ? { failure: 'is not there' } : { value }) });
    } catch (thrown) {
      const error = this.#host.explain(thrown);
      this.#host.send({ kind: 'viewed', id, failure: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Runs `cleanup` and says `closed`. */
  async close(): Promise<void> {
    this.#stage('cleanup');
    await this.#loaded?.cleanup();
    this.#host.send({ kind: 'closed' });
  }

  /** Work that the plugin left running has failed: reported, survived. */
  escape(thrown: unknown): void {
    this.#host.send({ kind: 'escape', message: messageOf(this.#host.explain(thrown)).slice(0, maxMessage) });
  }

  #stage(stage: RunnerStage): void {
    this.#host.send({ kind: 'stage', stage });
  }

  #load({ entry, artefact, generation, models: _models, ...start }: RunnerStart): Promise<LoadedPlugin> {
    const { shared, loaders, importModule } = this.#host;
    this.#stage('module');
    const options: LoadOptions = {
      logger: sendingLog((message) => this.#host.send(message)),
      artefact,
      loaders,
      initTimeoutMs: start.initTimeoutMs,
      cleanupTimeoutMs: start.cleanupTimeoutMs,
      getModelInfo: (provider, model) => this.#models.find(provider, model),
      importModule: async (specifier) => {
        const module = await importModule(specifier);
        this.#stage('init');
        return module;
      },
      ...(shared === undefined ? {} : { sharedState: shared }),
      // The artefact says where the plugin is: no path is resolved here.
      baseDirectory: '/',
      workingDirectory: '/',
      builtins: new Map<string, object>(),
    };
    const events = { onDisabled: () => undefined, onEscape: (thrown: unknown) => this.escape(thrown) };
    return loadPlugin(entry, generation, options, events);
  }
}
