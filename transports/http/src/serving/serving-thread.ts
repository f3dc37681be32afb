import type { Engine } from '@bifrost/core';
import { loadersOfRealm, RecordingTap } from '@bifrost/framework/plugins';
import type { PluginPlan } from '@bifrost/framework/plugins';
import { GatewayError } from '@bifrost/sdk';
import type { RequestTrace } from '@bifrost/sdk';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { explainedRequestOf } from '../admin/explain/explained-request.ts';
import { createLogger } from '../logging/logger.ts';
import type { Logger } from '../logging/logger.ts';
import { beatCells } from '../supervisor/messages.ts';
import type { FromThread, ThreadConfig, ThreadStart, ToThread } from '../supervisor/messages.ts';
import { ownKernelThread } from '../supervisor/processor-wait.ts';
import { Accepting } from './accepting.ts';
import { BodyLedger } from './bodies/body-ledger.ts';
import { BodyStore } from './bodies/body-store.ts';
import { AdminGate } from './admin-gate.ts';
import { loadEngineModule } from './engine-module.ts';
import { offerIdleConnections } from './idle-connections.ts';
import { MetricsGatherer } from './metrics/gatherer.ts';
import { ThreadMetrics } from './metrics/thread-metrics.ts';
import { ModelLister } from './models/model-lister.ts';
import { readReadiness } from './readiness.ts';
import { sendJson } from './send-json.ts';
import { ServingApp } from './serving-app.ts';
import type { ServingAppOptions } from './serving-app.ts';
import { immediate, untilQuiet } from './until-quiet.ts';
import { ThreadPlugins } from './thread-plugins.ts';

/** How often the thread says that its event loop turns. */
const heartbeatMs = 100;
/** How long a connection of a thread that lingers may be idle. */
const idleMs = 5000;

type ServingTerms = Pick<ServingAppOptions, 'config' | 'doPluginsTranslateCredentials'>;

/** One serving thread: an engine behind an HTTP server on the shared socket, steered by messages of the supervisor. */
export class ServingThread {
  readonly #start: ThreadStart;
  readonly #post: (message: FromThread) => void;
  readonly #logger: Logger;
  readonly #metrics: ThreadMetrics;
  readonly #gatherer: MetricsGatherer;
  readonly #processState: Int32Array;
  readonly #admin: AdminGate;
  readonly #models = new ModelLister();
  readonly #bodies: BodyStore;
  #app: ServingApp | undefined;
  #accepting: Accepting | undefined;
  #engine: Engine | undefined;
  /** What new requests are served with, and what prepared generations bring with them. */
  #config: ThreadConfig | undefined;
  readonly #prepared = new Map<number, ThreadConfig>();
  readonly #plugins: ThreadPlugins;
  readonly #recordings: RecordingTap;
  #work: Promise<void> = Promise.resolve();
  #hasEnded = false;

  constructor(start: ThreadStart, post: (message: FromThread) => void) {
    this.#start = start;
    this.#post = post;
    this.#logger = createLogger(start.logLevel, (record) => post({ type: 'log', record }));
    const ledger = new BodyLedger(start.bodyCells, start.threadNumber);
    this.#bodies = new BodyStore({ ledger, directories: start.spoolDirectories, logger: this.#logger });
    this.#metrics = new ThreadMetrics(start.threadNumber, {
      plugins: () => this.#plugins.facts(),
      bodies: () => this.#bodies.figures,
    });
    this.#gatherer = new MetricsGatherer((id) => post({ type: 'gather', id }));
    const beat = (cell: number): Int32Array => new Int32Array(start.heartbeat, cell * 4, 1);
    this.#recordings = new RecordingTap((batch) => post({ type: 'recorded', batch }));
    this.#plugins = new ThreadPlugins({
      recorder: this.#recordings,
      logger: this.#logger,
      running: beat(beatCells.running),
      loading: beat(beatCells.loading),
      loaders: loadersOfRealm,
      connectRemote: async (end, options, events) => {
        const { connectRemote } = await import('@bifrost/framework/remote-connection');
        return connectRemote(end, options, events);
      },
      onReleased: (load) => post({ type: 'plugin-released', load }),
      onChanged: (load) => post({ type: 'plugin-changed', load }),
    });
    this.#processState = new Int32Array(start.processState);
    this.#admin = new AdminGate(start.adminTokenHash, (id, request) => post({ type: 'admin-call', id, request }));
    Atomics.store(beat(beatCells.kernelThread), 0, ownKernelThread());
    const heartbeat = beat(beatCells.beat);
    setInterval(() => Atomics.add(heartbeat, 0, 1), heartbeatMs).unref();
  }

  /** Messages that change the thread are worked off one after the other. */
  receive(message: ToThread): void {
    switch (message.type) {
      case 'warm':
        this.#enqueue(async () => void (await Promise.all([this.#openEngine(), import('node:ffi')])));
        break;
      case 'prepare':
        this.#enqueue(() => this.#prepare(message.plan, message.config));
        break;
      case 'commit':
        this.#enqueue(() => this.#commit(message.generation, message.isReserveKept));
        break;
      case 'abort':
        this.#enqueue(() => this.#abort(message.generation));
        break;
      case 'settle':
        this.#plugins.settle();
        break;
      case 'drain':
        if (message.isPatient) void this.#linger();
        else this.#enqueue(() => this.#drain());
        break;
      case 'report':
        this.#post({ type: 'reported', id: message.id, report: this.#plugins.report(message.hasTotals) });
        break;
      case 'view-config':
        void this.#viewConfig(message);
        break;
      case 'collect':
        this.#post({ type: 'part', id: message.id, part: this.#metrics.collect() });
        break;
      case 'collected':
        this.#gatherer.deliver(message.id, message);
        break;
      case 'record':
        this.#recordings.follow(message.orders);
        break;
      case 'adopt':
        this.#accepting?.adopt(message.descriptors, (socket) => this.#app?.adoptConnection(socket));
        break;
      case 'admin-answer':
        this.#admin.deliver(message.id, message.answer);
        break;
    }
  }

  async #viewConfig({ id, load, question }: Extract<ToThread, { readonly type: 'view-config' }>): Promise<void> {
    try {
      this.#post({ type: 'config-viewed', id, value: await this.#plugins.viewConfig(load, question) });
    } catch (error) {
      this.#post({ type: 'config-viewed', id, failure: error instanceof Error ? error.message : String(error) });
    }
  }

  #enqueue(step: () => Promise<void>): void {
    this.#work = this.#work.then(step).catch((error: unknown) => {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'BF_HTTP_THREAD_FAILED';
      this.#post({ type: 'failed', code, message: error instanceof Error ? error.message : String(error) });
    });
  }

  async #prepare(plan: PluginPlan, config: ThreadConfig | undefined): Promise<void> {
    // It will be ended at any moment: what is begun now would not be cleaned up.
    if (this.#hasEnded) return;
    const { generation } = plan;
    const next = config ?? this.#config;
    if (next === undefined) throw new TypeError('the first generation comes with its configuration');
    this.#prepared.set(generation, next);
    // The engine's modules are loaded while the plugins are not there yet: nothing is lost when these are refused.
    await this.#openEngine();
    try {
      this.#post({ type: 'prepared', report: await this.#plugins.prepare(plan) });
    } catch (error) {
      this.#prepared.delete(generation);
      const code = GatewayError.isInstance(error) ? error.code : 'BF_HTTP_THREAD_FAILED';
      this.#post({
        type: 'refused',
        generation,
        code,
        message: error instanceof Error ? error.message : String(error),
      });
    }
  }

  async #openEngine(): Promise<void> {
    if (this.#engine !== undefined) return;
    const module = await loadEngineModule(this.#start.engineModule);
    this.#engine = module.createEngine({
      logger: this.#logger,
      onTrace: (trace) => this.#traced(trace),
      stateMakers: this.#start.stateMakers,
    });
  }

  #traced(trace: RequestTrace): void {
    this.#metrics.countTrace(trace);
    // Without an admin API nobody could read it.
    if (trace.explanation === undefined || this.#start.adminTokenHash === undefined) return;
    this.#post({ type: 'explained', request: explainedRequestOf(trace, trace.explanation) });
  }

  async #commit(generation: number, isReserveKept: boolean): Promise<void> {
    const config = this.#prepared.get(generation);
    if (config === undefined || this.#engine === undefined) return;
    this.#prepared.delete(generation);
    const { version, providers, client } = config;
    const { chains, retireOld } = this.#plugins.commit(generation, isReserveKept);
    this.#engine.configure({ version, providers, client, plugins: chains });
    retireOld();
    if (config !== this.#config) this.#models.configure(config);
    this.#plugins.knowModels(config.knownModels);
    const doPluginsTranslateCredentials = chains?.needs.httpPreAuth !== undefined;
    this.#app?.configure(config, doPluginsTranslateCredentials);
    this.#config = config;
    if (this.#app === undefined) await this.#listen(this.#engine, { config, doPluginsTranslateCredentials });
    this.#post({ type: 'committed', generation });
  }

  #abort(generation: number): Promise<void> {
    this.#prepared.delete(generation);
    this.#plugins.abort(generation);
    return Promise.resolve();
  }

  async #listen(engine: Engine, terms: ServingTerms): Promise<void> {
    const app = this.#createApp(engine, terms);
    this.#app = app;
    this.#accepting = await Accepting.begin(app.server, this.#start.listenDescriptor);
    this.#accepting.onError((error) => this.#logger.error('the server failed', { error: String(error) }));
    await offerIdleConnections(() => app.takeIdleConnections());
    this.#post({ type: 'ready', descriptors: this.#accepting.descriptors });
  }

  #createApp(engine: Engine, terms: ServingTerms): ServingApp {
    return new ServingApp({
      engine,
      bodies: this.#bodies,
      ...terms,
      isLoopback: this.#start.isLoopback,
      logger: this.#logger,
      metrics: this.#metrics,
      plainHandlers: {
        'list-models': (request, response, route) => this.#models.answer(request, response, route),
        health: (_request, response) => sendJson(response, 200, { status: 'ok', version: this.#start.version }),
        'health-live': (_request, response) => sendJson(response, 200, { status: 'ok' }),
        'health-ready': (_request, response) => this.#answerReady(response),
        metrics: (request, response) => this.#answerMetrics(request, response),
        admin: (request, response) => this.#admin.answer(request, response),
      },
    });
  }

  #answerReady(response: ServerResponse): void {
    const { isReady, reasons } = readReadiness(this.#processState, this.#plugins.hindrances);
    sendJson(response, isReady ? 200 : 503, isReady ? { status: 'ok' } : { status: 'unavailable', reasons });
  }

  async #answerMetrics(_request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gathering = this.#gatherer.gather();
    const own = this.#metrics.collect();
    // The supervisor remembers it, for the case that this thread ends without a last word.
    this.#post({ type: 'part', id: 0, part: own });
    const { metricsContentType, renderMetrics } = await import('./metrics/render-metrics.ts');
    const { parts, threads } = await gathering;
    const text = await renderMetrics({ parts: [own, ...parts], threads });
    response.writeHead(200, { 'content-type': metricsContentType }).end(text);
  }

  /** Accepts no more, ends what is under way, then says so. Nothing here has a clock: the supervisor has. */
  async #drain(): Promise<void> {
    const app = this.#app;
    if (app !== undefined) {
      void this.#accepting?.stop();
      await app.drain();
      let before: number;
      do {
        // Answers that are read on without their clients: who sends on a kept connection meanwhile is served.
        await this.#engine?.settled();
        before = app.entries;
        await untilQuiet(app);
      } while (app.entries !== before);
      app.closeIdleConnections();
      await immediate();
    }
    await this.#end();
  }

  /** Accepts no more and serves until the last connection has gone, on whatever generation is committed meanwhile. */
  async #linger(): Promise<void> {
    const app = this.#app;
    if (app !== undefined) {
      const closed = this.#accepting?.stop();
      await app.drain();
      // Every answer since then has closed its connection: those that are idle were so all the time.
      const idle = setInterval(() => app.closeIdleConnections(), idleMs);
      await closed;
      clearInterval(idle);
      // Answers that are read on without their clients.
      await this.#engine?.settled();
    }
    this.#enqueue(() => this.#end());
  }

  async #end(): Promise<void> {
    this.#hasEnded = true;
    await this.#plugins.close();
    await this.#recordings.close();
    await this.#engine?.close();
    // Its last word: the counters of the process keep it.
    this.#post({ type: 'part', id: 0, part: this.#metrics.collect() });
    this.#post({ type: 'drained', report: this.#plugins.report(true) });
  }
}
