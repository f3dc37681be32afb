/**
 * What the engine itself costs: CPU ns and bytes allocated per request (per chunk for streams) on each lane, without a plugin and
 * with those of `benchmarks/plugins`. Everything from the request in memory to the counted trace is in it; the servers on both
 * sides are not. Run: `node benchmarks/src/engine-cost.ts [--only TEXT] [--seconds N]`; `--only` takes a part of a row's name.
 *
 * Requests run 64 at a time, rounds are interleaved, the thread's CPU time is counted, and the best of each is shown, as other work
 * on the machine only ever adds.
 */
import { AsyncResource } from 'node:async_hooks';
import { parseArgs } from 'node:util';
import { getHeapStatistics } from 'node:v8';
import type { Engine, InboundRequest, InboundRoute, PluginInstance, ResponseSink } from '@bifrost/core';
import { answerAll, answerWith, replaceUpstream } from './instant-upstream.ts';
import type { InstantAnswer } from './instant-upstream.ts';
import { chatRequest, chatResponse, streamChunks } from './payloads.ts';

replaceUpstream();
const core = await import('@bifrost/core');
const { ThreadMetrics } = await import('../../transports/http/src/serving/metrics/thread-metrics.ts');
const plugins = {
  'reads-head': (await import('../plugins/reads-head.ts')).default,
  'reads-messages': (await import('../plugins/reads-messages.ts')).default,
  'changes-messages': (await import('../plugins/changes-messages.ts')).default,
};

const { values: options } = parseArgs({
  options: { only: { type: 'string', default: '' }, seconds: { type: 'string', default: '0.15' } },
});

const atOnce = 64;
const chunksPerStream = 100;
const rounds = 7;

const chatRoute: InboundRoute = {
  operation: 'conversation',
  dialect: 'openai-chat',
  requestType: 'chat_completion',
  isDropIn: true,
  defaultProvider: 'openai',
};
const anthropicRoute: InboundRoute = {
  operation: 'conversation',
  dialect: 'anthropic-messages',
  requestType: 'responses',
  isDropIn: true,
};

const question = JSON.parse(chatRequest('openai/bench-model')) as { messages: { role: string; content: string }[] };
const anthropicRequest = JSON.stringify({
  model: 'openai/bench-model',
  max_tokens: 256,
  temperature: 0.2,
  system: question.messages[0]?.content,
  messages: question.messages.slice(1),
});

const whole: InstantAnswer = { contentType: 'application/json', chunks: [Buffer.from(chatResponse)] };
const stream: InstantAnswer = {
  contentType: 'text/event-stream',
  chunks: streamChunks(chunksPerStream).map((chunk) => Buffer.from(chunk)),
};

interface Lane {
  readonly name: string;
  readonly lane: string;
  readonly route: InboundRoute;
  readonly body: string;
  readonly answer: InstantAnswer;
  /** What one request counts as: the chunks of a stream. */
  readonly units: number;
}

const lanes: readonly Lane[] = [
  { name: 'identical', lane: 'identical', route: chatRoute, body: chatRequest('bench-model'), answer: whole, units: 1 },
  { name: 'spliced', lane: 'spliced', route: chatRoute, body: chatRequest('openai/m'), answer: whole, units: 1 },
  { name: 'translated', lane: 'translated', route: anthropicRoute, body: anthropicRequest, answer: whole, units: 1 },
  {
    name: `stream, per chunk of ${chunksPerStream}`,
    lane: 'identical',
    route: chatRoute,
    body: chatRequest('bench-model', { stream: true }),
    answer: stream,
    units: chunksPerStream,
  },
];

/** A client that takes everything and keeps nothing. */
class NullSink implements ResponseSink {
  readonly isClosed = false;
  statusCode = 0;
  isEnded = false;
  onClose(): void {
    // It never goes away.
  }
  head(statusCode: number): void {
    this.statusCode = statusCode;
  }
  write(): boolean {
    return true;
  }
  onDrain(): void {
    // It is never slow.
  }
  end(): void {
    this.isEnded = true;
  }
  destroy(): void {
    throw new Error('an answer was broken off');
  }
}

function instanceOf(plugin: (typeof plugins)[keyof typeof plugins]): PluginInstance {
  return {
    name: plugin.name,
    config: {},
    hooks: plugin as PluginInstance['hooks'],
    self: plugin,
    shared: new core.LocalSharedState(plugin.name),
    isGuard: false,
    placement: 'post_builtin',
    order: 0,
    log: () => undefined,
    asyncScope: new AsyncResource('BifrostPlugin'),
  };
}

let lastLane = '';

function createEngine(plugin: keyof typeof plugins | undefined): Engine {
  const metrics = new ThreadMetrics(1);
  const engine = core.createEngine({
    onTrace(trace) {
      lastLane = trace.lane;
      metrics.countTrace(trace);
    },
  });
  const definition = core.providerDefinitions.get('openai');
  if (definition === undefined) throw new Error('no such provider');
  const key = {
    id: 'bench',
    name: 'bench',
    value: 'sk-bench-upstream',
    models: ['*'],
    blacklistedModels: [],
    weight: 1,
    aliases: {},
    isEnabled: true,
  };
  engine.configure({
    version: 1,
    providers: new Map([
      [
        'openai',
        {
          definition,
          keys: [key],
          network: core.defaultNetwork,
          proxy: { type: 'none' },
          concurrency: core.defaultConcurrency,
          queueSize: core.defaultQueueSize,
          isRawRequestSentBack: false,
          isRawResponseSentBack: false,
        },
      ],
    ]),
    client: core.defaultClient,
    plugins: plugin === undefined ? null : core.createPluginChains([instanceOf(plugins[plugin])]),
  });
  return engine;
}

class Case {
  readonly name: string;
  readonly units: number;
  ns = Number.POSITIVE_INFINITY;
  bytes = Number.POSITIVE_INFINITY;
  readonly #lane: Lane;
  readonly #body: Buffer;
  readonly #engine: Engine;
  readonly #expectedLane: string;

  constructor(lane: Lane, plugin: keyof typeof plugins | undefined) {
    this.name = `${lane.name}, ${plugin ?? 'no plugin'}`;
    this.units = lane.units;
    this.#lane = lane;
    this.#body = Buffer.from(lane.body);
    this.#engine = createEngine(plugin);
    this.#expectedLane = plugin === 'changes-messages' ? 'translated' : lane.lane;
  }

  async #batch(): Promise<void> {
    const ends: Promise<void>[] = [];
    const sinks: NullSink[] = [];
    for (let index = 0; index < atOnce; index += 1) {
      const sink = new NullSink();
      sinks.push(sink);
      const request: InboundRequest = {
        requestId: '0b6f1c1e-3f0a-4a57-9a39-6f5b5f0f3c11',
        route: this.#lane.route,
        method: 'POST',
        path: '/openai/v1/chat/completions',
        query: '',
        headers: {
          host: '127.0.0.1:8080',
          'content-type': 'application/json',
          authorization: 'Bearer sk-bench',
          'content-length': '412',
        },
        body: this.#body,
        startedAt: performance.now(),
      };
      ends.push(this.#engine.handle(request, sink));
    }
    answerAll();
    await Promise.all(ends);
    if (!sinks.every((sink) => sink.isEnded && sink.statusCode === 200)) throw new Error(`${this.name} failed`);
    if (lastLane !== this.#expectedLane) throw new Error(`${this.name} left on the lane ${lastLane}`);
  }

  /** Runs for about `seconds` of CPU time and notes what a unit took. */
  async measure(seconds: number): Promise<void> {
    answerWith(this.#lane.answer);
    await this.#batch();
    let batches = 0;
    const allocated = getHeapStatistics().total_allocated_bytes;
    const before = process.threadCpuUsage();
    let used: number;
    do {
      for (let index = 0; index < 8; index += 1) await this.#batch();
      batches += 8;
      const { user, system } = process.threadCpuUsage(before);
      used = (user + system) / 1e6;
    } while (used < seconds);
    const done = batches * atOnce * this.units;
    this.ns = Math.min(this.ns, (used * 1e9) / done);
    this.bytes = Math.min(this.bytes, (getHeapStatistics().total_allocated_bytes - allocated) / done);
  }
}

const cases = lanes
  .flatMap((lane) =>
    [undefined, ...(Object.keys(plugins) as (keyof typeof plugins)[])].map((one) => [lane, one] as const),
  )
  .map(([lane, plugin]) => new Case(lane, plugin))
  .filter((one) => one.name.includes(options.only));
for (let round = 0; round < rounds; round += 1) for (const one of cases) await one.measure(Number(options.seconds));

console.log(`${'engine only'.padEnd(50)}${'ns'.padStart(9)}${'bytes'.padStart(9)}`);
for (const { name, ns, bytes } of cases) {
  console.log(`${name.padEnd(50)}${ns.toFixed(0).padStart(9)}${bytes.toFixed(0).padStart(9)}`);
}
process.exit(0);
