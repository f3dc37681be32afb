/**
 * A plugin in a realm of its own, watched: it is ended when it takes more memory or processor time than it may, or a call blocks it beyond its
 * deadline, and whoever asked is told why. What the realm is, thread or process, is the realm's business.
 */
import { PluginError } from '@bifrost/sdk';
import type { HookName, JsonObject } from '@bifrost/sdk';
import type { ConfigViewName } from '../../config-view.ts';
import { describeFailure } from '../../failed-description.ts';
import type { FromRunner, RunnerStage } from '../control.ts';
import type { PluginDescription, RemoteChannel, RemoteExit, RemotePlugin } from '../remote-plugin.ts';
import { blockLimitMs, bootTimeoutMs } from './block-limit.ts';
import { ConfigViews } from './config-views.ts';
import { LogGate } from './log-gate.ts';
import { LoopWatch } from './loop-watch.ts';
import { readClaim, readDescription } from './read-description.ts';
import type { Realm, StartRealm } from './realm.ts';
import { defaultCleanupTimeoutMs, defaultInitTimeoutMs } from './remote-options.ts';
import type { RemotePluginOptions } from './remote-options.ts';
import { memoryLimitOf } from './runner-start.ts';
import { UsageWatch } from './usage-watch.ts';

/** Beyond `cleanup`'s own deadline. */
const closeGraceMs = 500;

type State = 'starting' | 'running' | 'closing' | 'ended';

export class SupervisedPlugin implements RemotePlugin {
  readonly #options: RemotePluginOptions;
  readonly #realm: Realm;
  readonly #log: LogGate;
  readonly #views: ConfigViews;
  readonly #watch: LoopWatch;
  readonly #usage: UsageWatch;
  readonly #exitListeners: ((exit: RemoteExit) => void)[] = [];
  readonly #ended = Promise.withResolvers<void>();
  readonly #started = Promise.withResolvers<void>();
  readonly #cleaned = Promise.withResolvers<void>();
  #state: State = 'starting';
  #stage: RunnerStage | 'boot' = 'boot';
  #description: PluginDescription | undefined;
  /** Why it is being ended by us. */
  #verdict: RemoteExit | undefined;
  #exit: RemoteExit | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: RemotePluginOptions, startRealm: StartRealm) {
    this.#options = options;
    this.#log = new LogGate(options.logger, options.entry.name);
    this.#realm = startRealm({
      onMessage: (message) => this.#receive(message),
      onOutput: (line, isError) => this.#log.write(isError ? 'warn' : 'info', line, {}),
      onEnd: (reason, hook) => this.#onEnd(reason, hook),
    });
    this.#views = new ConfigViews(options.entry.name, (message) => this.#realm.send(message));
    this.#watch = new LoopWatch({
      ping: (ping) => this.#realm.send({ kind: 'ping', ping }),
      limitMs: () =>
        blockLimitMs(options, {
          stage: this.#stage,
          description: this.description,
          hook: this.#realm.currentHook(),
        }),
      onBlocked: (blockedMs) => this.#onBlocked(blockedMs),
    });
    this.#usage = new UsageWatch({
      realm: this.#realm,
      memoryLimitBytes: memoryLimitOf(options),
      cpuLimit: options.entry.cpuLimit,
      cpuWindowMs: options.cpuWindowMs,
      onOver: (reason) => this.#endFor(reason),
    });
  }

  /** Starts a realm and resolves when `init` has succeeded. Rejects with PluginError as an inline load does; then it is gone. */
  static async start(options: RemotePluginOptions, startRealm: StartRealm): Promise<RemotePlugin> {
    const plugin = new SupervisedPlugin(options, startRealm);
    try {
      await plugin.#started.promise;
      return plugin;
    } catch (error) {
      plugin.#state = 'closing';
      await plugin.#kill();
      throw error;
    }
  }

  get description(): PluginDescription {
    return this.#description ?? { isGuard: false, hooks: {} };
  }

  async openChannel(): Promise<RemoteChannel> {
    if (this.#state === 'running') return this.#realm.openChannel();
    const reason = this.#exit?.reason ?? 'it was closed';
    throw this.#error(`it is not running: ${reason}`, 'BF_PLUGIN_NOT_SERVING');
  }

  onExit(listener: (exit: RemoteExit) => void): void {
    this.#exitListeners.push(listener);
    const exit = this.#exit;
    if (exit !== undefined) queueMicrotask(() => listener(exit));
  }

  viewConfig(view: ConfigViewName, config: JsonObject): Promise<JsonObject> {
    return this.#views.ask(view, config);
  }

  memoryBytes(): number | undefined {
    return this.#usage.memoryBytes;
  }

  cpuLoad(): number | undefined {
    return this.#usage.cpuLoad;
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    if (this.#state === 'ended') return;
    this.#state = 'closing';
    const limitMs = (this.#options.cleanupTimeoutMs ?? defaultCleanupTimeoutMs) + closeGraceMs;
    this.#realm.send({ kind: 'close' });
    const deadline = Promise.withResolvers<void>();
    const timer = setTimeout(deadline.resolve, limitMs);
    await Promise.race([this.#cleaned.promise, this.#ended.promise, deadline.promise]);
    clearTimeout(timer);
    await this.#kill();
  }

  async #kill(): Promise<void> {
    this.#watch.stop();
    this.#usage.stop();
    await this.#realm.kill();
    // A thread in native code, a process in the kernel: left to themselves, and gone for everybody else.
    this.#onEnd('was left to itself: it hangs in a call that cannot be ended', undefined);
  }

  #receive(message: FromRunner): void {
    switch (message.kind) {
      case 'stage':
        this.#stage = message.stage;
        break;
      case 'pong':
        this.#watch.pong(message.ping);
        break;
      case 'log':
        this.#log.write(message.level, message.message, message.fields);
        break;
      case 'escape':
        this.#options.onEscape?.(message.message);
        break;
      case 'ready':
        this.#onReady(message.description);
        break;
      case 'failed':
        this.#onFailed(message);
        break;
      case 'viewed':
        this.#views.answer(message);
        break;
      case 'closed':
        this.#cleaned.resolve();
        break;
      default:
    }
  }

  #onFailed({ message, code, description }: Extract<FromRunner, { readonly kind: 'failed' }>): void {
    if (this.#state !== 'starting') return;
    const claim = readClaim(this.#options.entry.name, description);
    this.#started.reject(describeFailure(this.#error(message, code), claim));
  }

  #onReady(description: PluginDescription): void {
    if (this.#state !== 'starting') return;
    try {
      this.#description = readDescription(this.#options.entry.name, description);
    } catch (error) {
      this.#started.reject(error);
      return;
    }
    this.#state = 'running';
    this.#usage.countCpu();
    this.#started.resolve();
  }

  #onEnd(reason: string, hook: HookName | undefined): void {
    const before = this.#state;
    if (before === 'ended') return;
    this.#state = 'ended';
    this.#watch.stop();
    this.#usage.stop();
    this.#ended.resolve();
    this.#views.end();
    const exit = this.#verdict ?? { reason, ...(hook === undefined ? {} : { hook }) };
    if (before === 'starting') {
      this.#started.reject(this.#error(`it ended while it was loaded: it ${exit.reason}`, 'BF_PLUGIN_LOAD_FAILED'));
    }
    if (before !== 'running') return;
    this.#exit = exit;
    for (const listener of this.#exitListeners) listener(exit);
  }

  #onBlocked(blockedMs: number): void {
    if (this.#state === 'starting') {
      this.#started.reject(this.#startTimeout());
      return;
    }
    const seconds = Math.round(blockedMs / 100) / 10;
    this.#endFor(`was ended: a call blocked it for ${seconds} s`);
  }

  #startTimeout(): PluginError {
    const limit = this.#options.initTimeoutMs ?? defaultInitTimeoutMs;
    if (this.#stage === 'init') return this.#error(`init did not end within ${limit} ms`, 'BF_PLUGIN_INIT_TIMEOUT');
    if (this.#stage === 'module') {
      return this.#error(
        `its module was not loaded within ${limit} ms (a loop that does not end?)`,
        'BF_PLUGIN_INIT_TIMEOUT',
      );
    }
    return this.#error(`its ${this.#realm.kind} did not start within ${bootTimeoutMs} ms`, 'BF_PLUGIN_INIT_TIMEOUT');
  }

  #endFor(reason: string): void {
    if (this.#state === 'ended' || this.#verdict !== undefined) return;
    const hook = this.#realm.currentHook();
    const verdict: RemoteExit = { reason, ...(hook === undefined ? {} : { hook }) };
    this.#verdict = verdict;
    // A thread that hangs in native code does not end: it is left to itself, and counts as gone.
    void this.#kill().then(() => this.#onEnd(verdict.reason, verdict.hook));
  }

  #error(message: string, code: string): PluginError {
    const { name } = this.#options.entry;
    const prefix = `plugin ${name}: `;
    return new PluginError(name, message.startsWith(prefix) ? message.slice(prefix.length) : message, { code });
  }
}
