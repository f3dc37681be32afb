import type { DialectName, ErrorInfo } from '@bifrost/sdk';
import type { Loss } from '../../dialects/codec.ts';
import { codecOf } from '../../dialects/registry.ts';
import { chainsOf } from '../../plugins/__tests__/chains-of.ts';
import type { TestPlugin } from '../../plugins/__tests__/chains-of.ts';
import type { Attempt } from '../attempt.ts';
import { StateMakers } from '../../reliability/state-makers.ts';
import { createRelay } from '../relay-choice.ts';
import { RequestRun } from '../run.ts';
import type { Lane } from '../run.ts';
import type { InboundRoute } from '../seam.ts';
import { SharedClock } from '../shared-clock.ts';
import { SnapshotRuntime } from '../snapshot-runtime.ts';
import { FakeSink } from './fake-sink.ts';
import { client, network } from './harness.ts';

export interface RelayedStream {
  /** The dialect of the provider; the client speaks it too unless `clientDialect` says otherwise. */
  readonly dialect: DialectName;
  readonly clientDialect?: DialectName;
  readonly chunks: readonly Buffer[];
  readonly plugins?: readonly TestPlugin[];
  readonly body?: unknown;
  readonly isUsageWithheld?: boolean;
  /** Gives the hooks time after each chunk. */
  readonly isPaced?: boolean;
}

export interface Relayed {
  readonly sink: FakeSink;
  readonly run: RequestRun;
  /** Undefined where the client was answered. */
  readonly failure: ErrorInfo | undefined;
  readonly lines: readonly string[];
}

/** Passes a provider's bytes through the relay that the plugins call for, without a network. */
export async function relay(stream: RelayedStream): Promise<Relayed> {
  const { dialect, clientDialect = dialect, chunks, plugins = [], body = {} } = stream;
  const { chains, lines } = chainsOf(plugins);
  const route: InboundRoute = {
    operation: 'conversation',
    dialect: clientDialect,
    requestType: 'test',
    isDropIn: true,
  };
  const services = {
    logger: undefined,
    onTrace: undefined,
    now: Date.now,
    codecOf,
    clock: new SharedClock(),
    stateMakers: new StateMakers(),
  };
  const snapshot = new SnapshotRuntime({ version: 1, providers: new Map(), client, plugins: chains }, undefined);
  const request = {
    requestId: 'r',
    route,
    method: 'POST',
    path: '/',
    query: '',
    headers: {},
    startedAt: performance.now(),
    body: Buffer.from(JSON.stringify(body)),
  };
  const sink = new FakeSink();
  const run = new RequestRun(services, snapshot, request, sink);
  run.isStream = true;
  run.modelText = 'm';
  run.lane = clientDialect === dialect ? 'identical' : 'translated';
  run.plugins = plugins.length === 0 ? null : chains.open(run.facts(), {}, new AbortController().signal);
  const ended = Promise.withResolvers<ErrorInfo | undefined>();
  const made = createRelay(attemptOf(run, stream, ended.resolve), 200, { 'content-type': 'text/event-stream' });
  for (const chunk of chunks) {
    made.push(chunk);
    if (stream.isPaced === true) await new Promise((resolve) => setImmediate(resolve));
  }
  made.end();
  return { sink, run, failure: await ended.promise, lines };
}

function attemptOf(run: RequestRun, stream: RelayedStream, end: (error: ErrorInfo | undefined) => void): Attempt {
  const losses: Loss[] = [];
  const lane: Lane = run.lane;
  const plan = {
    lane,
    losses,
    codec: codecOf(stream.dialect),
    isUsageWithheld: stream.isUsageWithheld ?? false,
    surface: { dialect: stream.dialect, path: '/' },
    runtime: { name: 'recorded', config: { network } },
    model: 'm',
  };
  const attempt = {
    run,
    plan,
    startedAt: performance.now(),
    noteContent: () => void (run.firstContentAt ??= performance.now()),
    noteUpstreamTime: () => undefined,
    expectEnd: () => undefined,
    answered: () => end(undefined),
    failed: (info: ErrorInfo) => end(info),
  };
  // What relays use of an attempt.
  return attempt as unknown as Attempt;
}

/** `bytes` cut at `offsets`, in any order. */
export function cutAt(bytes: Buffer, offsets: readonly number[]): readonly Buffer[] {
  const ends = [...new Set(offsets)].filter((at) => at > 0 && at < bytes.length).toSorted((a, b) => a - b);
  return [0, ...ends].map((begin, index) => bytes.subarray(begin, ends[index] ?? bytes.length));
}
