/**
 * Runs one plugin inside a worker thread or a child process: loads it as a serving thread would load it, and answers the calls of
 * every serving thread. Knows nothing of how it is reached: `RunnerHost` is the realm's side of that.
 */
import { hookNames, PluginError } from '@bifrost/sdk';
import type { HookName, HookOptionsData, JsonObject, ModelInfo, PluginLog, SharedState } from '@bifrost/sdk';
import type { Channel } from '../channel.ts';
import type { FromRunner, RunnerStage, RunnerStart } from '../control.ts';
import type { RunnerMessage, ThreadMessage } from '../protocol.ts';
import type { PluginDescription } from '../remote-plugin.ts';
import { describeThrown } from '../thrown-data.ts';
import { identityOf, instantiatePlugin } from '../../load-plugin.ts';
import type { LoadedPlugin } from '../../load-plugin.ts';
import { importArtefact } from './import-artefact.ts';
import { KnownModels } from './known-models.ts';
import { RunnerConnection } from './runner-connection.ts';
import type { ActivityMark } from './runner-connection.ts';

/** What a realm gives to its runner. */
export interface RunnerHost {
  /** Must arrive before anything that runs next may block the realm. */
  send(message: FromRunner): void;
  readonly activity: ActivityMark;
  readonly importModule: (specifier: string) => Promise<unknown>;
  /** `ctx.shared` where others share it. @default of its own */
  readonly shared?: SharedState;
  /** Says of a refusal by the realm what was refused and how to grant it; anything else comes back as it is. */
  explain(thrown: unknown): unknown;
}

const maxTextCharacters = 8192;
const maxFieldsCharacters = 16_384;

/** A log whose lines are sent, cut to a bound: a plugin must not fill the gateway's memory through it. */
export function sendingLog(send: (message: FromRunner) => void): PluginLog {
  const write = (level: keyof PluginLog) => (message: string, fields?: JsonObject) => {
    let text = String(message);
    if (text.length > maxTextCharacters) text = `${text.slice(0, maxTextCharacters)}...`;
    send({ kind: 'log', level, message: text, fields: plainFields(fields) });
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

function plainFields(fields: JsonObject | undefined): JsonObject {
  try {
    const text = JSON.stringify(fields ?? {});
    if (text.length <= maxFieldsCharacters) return JSON.parse(text) as JsonObject;
    const { plugin, requestId } = fields ?? {};
    return { plugin: String(plugin), ...(requestId === undefined ? {} : { requestId }), fields: 'too long, left out' };
  } catch {
    return { fields: 'not JSON, left out' };
  }
}

/** The hook's options without what is code. */
function optionsOf(declared: unknown): HookOptionsData {
  if (typeof declared !== 'object' || declared === null) return {};
  const { handler: _handler, when: _when, ...options } = declared as Record<string, unknown>;
  // The loader has checked the options; a clone refuses what is not data.
  return structuredClone(options) as HookOptionsData;
}

function describe(loaded: LoadedPlugin): PluginDescription {
  const hooks: Partial<Record<HookName, HookOptionsData>> = {};
  for (const name of hookNames) {
    const declared: unknown = loaded.instance.hooks[name];
    if (declared !== undefined) hooks[name] = optionsOf(declared);
  }
  return {
    isGuard: loaded.instance.isGuard,
    hooks,
    ...(loaded.actualName === undefined ? {} : { actualName: loaded.actualName }),
    ...(loaded.version === undefined ? {} : { version: loaded.version }),
  };
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
      const description = describe(this.#loaded);
      this.#stage('hooks');
      this.#host.send({ kind: 'ready', description });
    } catch (thrown) {
      const error = this.#host.explain(thrown);
      const code = PluginError.isInstance(error) ? error.code : 'BF_PLUGIN_LOAD_FAILED';
      const message = error instanceof Error ? error.message : String(error);
      this.#host.send({ kind: 'failed', code, message });
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

  /** Runs `cleanup` and says `closed`. */
  async close(): Promise<void> {
    this.#stage('cleanup');
    await this.#loaded?.cleanup();
    this.#host.send({ kind: 'closed' });
  }

  /** Work that the plugin left running has failed: reported, survived. */
  escape(thrown: unknown): void {
    const data = describeThrown(this.#host.explain(thrown));
    const message = 'type' in data ? `threw ${data.text ?? data.type}, not an Error` : data.message;
    this.#host.send({ kind: 'escape', message });
  }

  #stage(stage: RunnerStage): void {
    this.#host.send({ kind: 'stage', stage });
  }

  async #load({ entry, artefact, generation, grants, ...start }: RunnerStart): Promise<LoadedPlugin> {
    const events = { onDisabled: () => undefined, onEscape: (thrown: unknown) => this.escape(thrown) };
    const identity = identityOf(entry, generation, events);
    const logger = sendingLog((message) => this.#host.send(message));
    const { shared } = this.#host;
    this.#stage('module');
    const imported = await importArtefact(artefact, {
      ...{ entry, identity, grants, logger, importModule: this.#host.importModule },
      initTimeoutMs: start.initTimeoutMs,
      ...(start.maxMemoryBytes === undefined ? {} : { maxMemoryBytes: start.maxMemoryBytes }),
    });
    this.#stage('init');
    const loaded = await instantiatePlugin(
      entry,
      imported,
      {
        logger,
        initTimeoutMs: start.initTimeoutMs,
        cleanupTimeoutMs: start.cleanupTimeoutMs,
        getModelInfo: (provider, model) => this.#models.find(provider, model),
        ...(shared === undefined ? {} : { sharedState: () => shared }),
      },
      { identity, ...events },
    );
    return loaded;
  }
}

