import { GatewayError } from '@bifrost/sdk';
import type { DialectName } from '@bifrost/sdk';
import type { DialectCodec } from '../dialects/codec.ts';
import { codecOf } from '../dialects/registry.ts';
import { StateMakers } from '../reliability/state-makers.ts';
import { runPipeline } from './pipeline.ts';
import { respondError } from './respond-error.ts';
import { RequestRun } from './run.ts';
import type { Engine, EngineSnapshot, InboundRequest, ResponseSink, TraceListener } from './seam.ts';
import { SharedClock } from './shared-clock.ts';
import { SnapshotRuntime } from './snapshot-runtime.ts';

/** Where the engine says what no client hears. */
export interface EngineLogger {
  info?(message: string, detail?: unknown): void;
  warn(message: string, detail?: unknown): void;
  error(message: string, detail?: unknown): void;
}

export interface EngineOptions {
  readonly logger?: EngineLogger;
  readonly onTrace?: TraceListener;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
  /** Memory of `createStateMakersBuffer`, the same for all engines of a process. @default memory of its own */
  readonly stateMakers?: SharedArrayBuffer;
  /** @default the built-in codecs */
  readonly codecOf?: (dialect: DialectName) => DialectCodec;
}

/** What requests use of the engine. */
export interface EngineServices {
  readonly logger: EngineLogger | undefined;
  readonly onTrace: TraceListener | undefined;
  readonly now: () => number;
  readonly codecOf: (dialect: DialectName) => DialectCodec;
  /** The clock of all attempts. */
  readonly clock: SharedClock;
  readonly stateMakers: StateMakers;
}

class RequestEngine implements Engine {
  readonly #services: EngineServices;
  #snapshot: SnapshotRuntime | undefined;
  #inFlight = 0;
  #isDraining = false;
  #drained: (() => void)[] = [];

  constructor(options: EngineOptions) {
    this.#services = {
      logger: options.logger,
      onTrace: options.onTrace,
      now: options.now ?? Date.now,
      codecOf: options.codecOf ?? codecOf,
      clock: new SharedClock(),
      stateMakers: new StateMakers(options.stateMakers),
    };
  }

  handle(request: InboundRequest, sink: ResponseSink): Promise<void> {
    return new Promise((resolve) => this.#run(request, sink, resolve));
  }

  #run(request: InboundRequest, sink: ResponseSink, resolve: () => void): void {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) throw new TypeError('configure the engine before it handles requests');
    const run = new RequestRun(this.#services, snapshot, request, sink);
    if (this.#isDraining) {
      refuse(run);
      resolve();
      return;
    }
    this.#inFlight += 1;
    snapshot.users += 1;
    run.onEnd = this.#ended;
    run.resolve = resolve;
    runPipeline(run);
  }

  readonly #ended = (run: RequestRun): void => {
    run.snapshot.release();
    this.#inFlight -= 1;
    if (this.#inFlight === 0) for (const resolve of this.#drained.splice(0)) resolve();
    run.resolve();
  };

  configure(snapshot: EngineSnapshot): void {
    const previous = this.#snapshot;
    const next = new SnapshotRuntime(snapshot, previous);
    this.#snapshot = next;
    if (previous === undefined) return;
    const retire = (): void => void previous.closeUnless(this.#snapshot);
    if (previous.users === 0) retire();
    else previous.onIdle = retire;
  }

  drain(): Promise<void> {
    this.#isDraining = true;
    return this.settled();
  }

  settled(): Promise<void> {
    return this.#inFlight === 0 ? Promise.resolve() : new Promise((resolve) => this.#drained.push(resolve));
  }

  async close(): Promise<void> {
    await this.#snapshot?.closeUnless(undefined);
  }
}

function refuse(run: RequestRun): void {
  const error = new GatewayError('the gateway is shutting down; send the request again', {
    code: 'BF_ENGINE_DRAINING',
    statusCode: 503,
    info: { retryAfterSeconds: 1 },
  });
  // No plugin has been opened: nothing can make this wait.
  void respondError(run, { info: error.toInfo() });
}

/** Creates an engine. Call `configure` before the first request. */
export function createEngine(options: EngineOptions = {}): Engine {
  return new RequestEngine(options);
}
