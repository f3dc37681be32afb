import type { RequestTrace } from '@bifrost/sdk';
import type { MetricPart } from './metric-part.ts';
import { Counter, gaugeToJson, Histogram } from './series.ts';
import type { CounterCell, HistogramCell } from './series.ts';

const secondBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
/** Model names come from callers: beyond this many label sets the rest is counted as `other`. */
const maxLabelSets = 300;

interface RequestSeries {
  readonly requests: CounterCell;
  readonly latency: HistogramCell;
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
  readonly #httpSeries = new Map<string, { readonly count: CounterCell; readonly duration: HistogramCell }>();
  readonly #requestSeries = new Map<string, RequestSeries>();
  readonly #thread: string;
  /** Requests under way in this thread. */
  inFlight = 0;

  constructor(threadNumber: number) {
    this.#thread = String(threadNumber);
  }

  /** Counts one answer. `path` is a path of the route table or `unmatched`: never what the caller wrote. */
  countAnswer(path: string, method: string, status: number, seconds: number): void {
    const key = `${path} ${method} ${status}`;
    let series = this.#httpSeries.get(key);
    if (series === undefined) {
      series = {
        count: this.#httpRequests.labels(path, method, String(status)),
        duration: this.#httpDuration.labels(path),
      };
      this.#httpSeries.set(key, series);
    }
    series.count.inc();
    series.duration.observe(seconds);
  }

  /** Counts one request that the engine finished. */
  countTrace(trace: RequestTrace): void {
    const series = this.#seriesOf(trace);
    series.requests.inc();
    series.latency.observe(trace.latencyMs / 1000);
    const provider = trace.facts.provider ?? 'none';
    if (trace.timeToFirstContentMs !== undefined) {
      this.#firstContent.labels(provider).observe(trace.timeToFirstContentMs / 1000);
    }
    for (const attempt of trace.attempts) {
      const status = attempt.failure ?? String(attempt.statusCode ?? 'none');
      this.#attempts.labels(attempt.provider, String(attempt.statusCode ?? 'none')).inc();
      const hasFailed = attempt.failure !== undefined || (attempt.statusCode ?? 0) >= 400;
      if (hasFailed) this.#attemptErrors.labels(attempt.provider, shorten(status)).inc();
    }
    for (const [kind, value] of Object.entries(trace.usage ?? {})) {
      if (typeof value === 'number' && value > 0) this.#tokens.labels(provider, kind).inc(value);
    }
  }

  #seriesOf({ facts, statusCode, lane }: RequestTrace): RequestSeries {
    const provider = facts.provider ?? 'none';
    const status = String(statusCode);
    const key = `${provider}\n${facts.model ?? ''}\n${status}\n${lane}\n${facts.requestType}`;
    let series = this.#requestSeries.get(key);
    if (series === undefined) {
      const isFull = this.#requestSeries.size >= maxLabelSets;
      const model = isFull ? 'other' : shorten(facts.model ?? 'none');
      const labels = [provider, model, status, lane, facts.requestType] as const;
      series = { requests: this.#requests.labels(...labels), latency: this.#latency.labels(...labels) };
      if (!isFull) this.#requestSeries.set(key, series);
    }
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
      gaugeToJson(inFlightFacts, labels, this.inFlight),
      gaugeToJson(heapFacts, labels, heapUsed),
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
