import type { ErrorInfo, JsonObject, StreamFrame } from '@bifrost/sdk';
import type { StreamEncoder } from '../dialects/codec.ts';
import type { SseEvent } from '../sse/event.ts';
import type { RequestRun } from './run.ts';

/** Bifrost's `extra_fields` of an answer. */
export function extraFields(run: RequestRun): JsonObject {
  return { latency: latencyOf(run), ...lastingFields(run) };
}

function latencyOf(run: RequestRun): number {
  return Math.round(performance.now() - run.request.startedAt);
}

/** What is the same in every chunk of a stream. */
function lastingFields(run: RequestRun): JsonObject {
  const { primary, target } = run;
  return {
    request_type: run.requestType,
    model_requested: run.modelText,
    ...(target === undefined ? {} : { provider: target.runtime.name, resolved_model_used: target.model }),
    ...(target === undefined || primary === undefined
      ? {}
      : {
          routing_info: {
            provider: target.runtime.name,
            model: target.model,
            ...(run.keyName === undefined ? {} : { key: run.keyName }),
            is_fallback: run.fallbackIndex > 0,
            primary_provider: primary.runtime.name,
            primary_model: primary.model,
          },
        }),
  };
}

/** Adds `extra_fields` to each chunk of a translated stream on the unified routes, with its number and the time until it was made. */
export class FactsEncoder implements StreamEncoder {
  readonly #inner: StreamEncoder;
  readonly #run: RequestRun;
  /** The text of the lasting fields, without its last brace: they are the same in hundreds of chunks. */
  #lasting: string | undefined;
  #chunks = 0;

  constructor(inner: StreamEncoder, run: RequestRun) {
    this.#inner = inner;
    this.#run = run;
  }

  push(frame: StreamFrame): readonly SseEvent[] {
    return this.#withFacts(this.#inner.push(frame));
  }

  finish(): readonly SseEvent[] {
    return this.#withFacts(this.#inner.finish());
  }

  /** Errors have their own. */
  fail(error: ErrorInfo): readonly SseEvent[] {
    return this.#inner.fail(error);
  }

  #withFacts(events: readonly SseEvent[]): readonly SseEvent[] {
    return events.length === 0 ? events : events.map((event) => this.#add(event));
  }

  #add(event: SseEvent): SseEvent {
    const { data } = event;
    // `[DONE]` and what is no object stay as they are.
    if (!data.endsWith('}') || data.length < 3) return event;
    this.#lasting ??= JSON.stringify(lastingFields(this.#run)).slice(0, -1);
    const facts = `${this.#lasting},"chunk_index":${this.#chunks},"latency":${latencyOf(this.#run)}}`;
    this.#chunks += 1;
    return { ...event, data: `${data.slice(0, -1)},"extra_fields":${facts}}` };
  }
}
