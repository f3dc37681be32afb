import type { RequestTrace, Usage } from '@bifrost/sdk';
import type { BodyFigures } from '../bodies/body-store.ts';
import { bodySeries } from './body-series.ts';
import type { MetricPart } from './metric-part.ts';
import { pluginSeries } from './plugin-series.ts';
import type { PluginFacts } from './plugin-series.ts';
import { Counter, gaugeToJson, Histogram } from './series.ts';
import type { CounterCell, HistogramCell } from './series.ts';

const secondBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
/** Model names come from callers: beyond this many label sets the rest is counted as `other`. */
const maxLabelSets = 300;

/** What is asked at each scrape. */
export interface ThreadFacts {
  readonly plugins: () => PluginFacts;
  readonly bodies: () => BodyFigures;
}

const noFacts: ThreadFacts = {
  plugins: () => ({ totals: [], statuses: [], counts: { inits: 0, cleanups: 0, live: 0 } }),
  bodies: () => ({ held: 0, taken: 0, refused: 0, failures: 0 }),
};

/** The cells of one set of labels of a request. */
interface RequestSeries {
  readonly statusCode: number;
  readonly lane: string;
  readonly requestType: string;
  readonly requests: CounterCell;
  readonly latency: HistogramCell;
}

/** The cells of one provider. */
interface ProviderSeries {
  readonly firstContent: HistogramCell;
  readonly attempts: Map<number | undefined, CounterCell>;
  readonly tokens: Map<string, CounterCell>;
  /** By model; few entries each, so that a search costs less than a key made of all labels. */
  readonly requests: Map<string | undefined, RequestSeries[]>;
}

interface HttpSeries {
  readonly method: string;
  readonly status: number;
  readonly count: CounterCell;
  readonly duration: HistogramCell;
}

/** What one thread counts. Series are looked up once for each set of labels; counting is an addition. */
export class ThreadMetrics {
  readonly #httpRequests = new Counter({
    name: 'http_requests_total',
    help: 'Answers by route, method and status.',
    labelNames: ['path', 'method', 'status'],
  });
  readonly #httpDuration = new Histogram(
    {
      name: 'http_request_duration_seconds',
      help: 'From the head of the request to the end of the answer.',
      labelNames: ['path'],
    },
    secondBuckets,
  );
  readonly #requests = new Counter({
    name: 'bifrost_requests_total',
    help: 'Requests that the engine finished.',
    labelNames: ['provider', 'model', 'status', 'lane', 'request_type'],
  });
  readonly #latency = new Histogram(
    {
      name: 'bifrost_request_latency_seconds',
      help: 'Time in the engine, the provider included.',
      labelNames: ['provider', 'model', 'status', 'lane', 'request_type'],
    },
    secondBuckets,
  );
  readonly #firstContent = new Histogram(
    {
      name: 'bifrost_stream_first_content_seconds',
      help: 'Time to the first content of a stream.',
      labelNames: ['provider'],
    },
    secondBuckets,
  );
  readonly #attempts = new Counter({
    name: 'bifrost_upstream_requests_total',
    help: 'Calls to providers, retries and fallbacks included.',
    labelNames: ['provider', 'status'],
  });
  readonly #attemptErrors = new Counter({
    name: 'bifrost_upstream_errors_total',
    help: 'Calls to providers that failed, by status or kind of failure.',
    labelNames: ['provider', 'status'],
  });
  readonly #tokens = new Counter({
    name: 'bifrost_tokens_total',
    help: 'Tokens as providers reported them, in disjoint buckets.',
    labelNames: ['provider', 'kind'],
  });
  readonly #drained = new Counter({
    name: 'bifrost_drained_requests_total',
    help: 'Answers that were read on for their usage after the client had left.',
    labelNames: ['provider', 'outcome'],
  });
  readonly #httpSeries = new Map<string, HttpSeries[]>();
  readonly #providers = new Map<string, ProviderSeries>();
  #labelSets = 0;
  readonly #thread: string;
  readonly #facts: ThreadFacts;
  /** Requests under way in this thread. */
  inFlight = 0;

  constructor(threadNumber: number, facts: ThreadFacts = noFacts) {
    this.#thread = String(threadNumber);
    this.#facts = facts;
  }

  /** Counts one answer. `path` is a path of the route table or `unmatched`: never what the caller wrote. */
  countAnswer(path: string, method: string, status: number, seconds: number): void {
    let ofPath = this.#httpSeries.get(path);
    if (ofPath === undefined) this.#httpSeries.set(path, (ofPath = []));
    let series: HttpSeries | undefined;
    for (const one of ofPath) if (one.status === status && one.method === method) series = one;
    if (series === undefined) {
      const count = this.#httpRequests.labels(path, method, String(status));
      series = { method, status, count, duration: this.#httpDuration.labels(path) };
      ofPath.push(series);
    }
    series.count.inc();
    series.duration.observe(seconds);
  }

  /** Counts one request that the engine finished. */
  countTrace(trace: RequestTrace): void {
    const provider = this.#providerSeries(trace.facts.provider ?? 'none');
    const series = this.#requestSeries(provider, trace);
    series.requests.inc();
    series.latency.observe(trace.latencyMs / 1000);
    if (trace.timeToFirstContentMs !== undefined) provider.firstContent.observe(trace.timeToFirstContentMs / 1000);
    for (const attempt of trace.attempts) {
      const { statusCode, failure } = attempt;
      const called = this.#providerSeries(attempt.provider);
      let cell = called.attempts.get(statusCode);
      if (cell === undefined) {
        cell = this.#attempts.labels(attempt.provider, String(statusCode ?? 'none'));
        called.attempts.set(statusCode, cell);
      }
      cell.inc();
      if (failure === undefined && (statusCode ?? 0) < 400) continue;
      this.#attemptErrors.labels(attempt.provider, shorten(failure ?? String(statusCode ?? 'none'))).inc();
    }
    const { usage, drain, facts } = trace;
    if (drain !== undefined) this.#drained.labels(facts.provider ?? 'none', drain.outcome).inc();
    if (usage === undefined) return;
    for (const kind in usage) {
      // The provider's own sum is no bucket: who adds the buckets up would count everything twice.
      if (kind !== 'totalTokens') this.#countTokens(provider, trace, kind as keyof Usage);
    }
  }

  #countTokens(series: ProviderSeries, { facts, usage }: RequestTrace, kind: keyof Usage): void {
    const value = usage?.[kind];
    if (typeof value !== 'number' || value <= 0) return;
    let cell = series.tokens.get(kind);
    if (cell === undefined) {
      cell = this.#tokens.labels(facts.provider ?? 'none', kind);
      series.tokens.set(kind, cell);
    }
    cell.inc(value);
  }

  #providerSeries(name: string): ProviderSeries {
    let series = this.#providers.get(name);
    if (series === undefined) {
      const firstContent = this.#firstContent.labels(name);
      series = { firstContent, attempts: new Map(), tokens: new Map(), requests: new Map() };
      this.#providers.set(name, series);
    }
    return series;
  }

  #requestSeries(ofProvider: ProviderSeries, { facts, statusCode, lane }: RequestTrace): RequestSeries {
    const { requestType } = facts;
    const ofModel = ofProvider.requests.get(facts.model);
    if (ofModel !== undefined) {
      for (const one of ofModel) {
        if (one.statusCode === statusCode && one.lane === lane && one.requestType === requestType) return one;
      }
    }
    const isFull = this.#labelSets >= maxLabelSets;
    const model = isFull ? 'other' : shorten(facts.model ?? 'none');
    const labels = [facts.provider ?? 'none', model, String(statusCode), lane, requestType] as const;
    const requests = this.#requests.labels(...labels);
    const series = { statusCode, lane, requestType, requests, latency: this.#latency.labels(...labels) };
    if (isFull) return series;
    this.#labelSets += 1;
    if (ofModel === undefined) ofProvider.requests.set(facts.model, [series]);
    else ofModel.push(series);
    return series;
  }

  /** Everything counted so far, as plain data. */
  collect(): MetricPart {
    const labels = { thread: this.#thread };
    const { heapUsed } = process.memoryUsage();
    return [
      this.#httpRequests.toJson(),
      this.#httpDuration.toJson(),
      this.#requests.toJson(),
      this.#latency.toJson(),
      this.#firstContent.toJson(),
      this.#attempts.toJson(),
      this.#attemptErrors.toJson(),
      this.#tokens.toJson(),
      this.#drained.toJson(),
      gaugeToJson(inFlightFacts, labels, this.inFlight),
      gaugeToJson(heapFacts, labels, heapUsed),
      ...pluginSeries(this.#facts.plugins()),
      ...bodySeries(this.#facts.bodies(), this.#thread),
    ];
  }
}

const inFlightFacts = { name: 'bifrost_requests_in_flight', help: 'Requests under way.', labelNames: ['thread'] };
const heapFacts = {
  name: 'bifrost_thread_heap_used_bytes',
  help: 'JavaScript heap of the thread.',
  labelNames: ['thread'],
};

function shorten(text: string): string {
  return text.length <= 100 ? text : text.slice(0, 100);
}
