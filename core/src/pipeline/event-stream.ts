import { GatewayError } from '@bifrost/sdk';
import type { ErrorInfo, StreamFrame, Usage } from '@bifrost/sdk';
import { ResponseAccumulator } from '../conversation/accumulator.ts';
import type { Loss, StreamDecoder, StreamEncoder, StreamEventClass } from '../dialects/codec.ts';
import { formatSse } from '../sse/parser.ts';
import type { SseEvent } from '../sse/event.ts';
import { ParsedEventReader, WireEventReader } from '../sse/wire-events.ts';
import type { EventReader, WireEvent } from '../sse/wire-events.ts';
import type { UpstreamHeaders } from '../upstream/call.ts';
import type { Attempt } from './attempt.ts';
import { ClientStream } from './client-stream.ts';
import { commitAnswer } from './commit-answer.ts';
import { doneEvent, endsInDone, isDoneEvent, mayLackChoices } from './done-marker.ts';
import { createClientEncoder, createShadowEncoder } from './encode-response.ts';
import { endGraceMs } from './end-grace.ts';
import { inBandError } from './in-band-error.ts';
import { maxHeldBytes, maxHeldEvents } from './pass-stream.ts';
import type { Relay } from './relay.ts';
import type { UsageTail } from './usage-tail.ts';
import type { StreamUnit } from './stream-unit.ts';
import { isUsageEvent } from './usage-events.ts';

/**
 * Takes a stream apart into events: to translate it, to frame it anew, or because a plugin looks at it. What is not translated leaves
 * in the bytes that it came in, unless a plugin changes it. Commit point, errors and truncation are as on the passing lane.
 */
export class EventStream implements Relay {
  readonly #attempt: Attempt;
  readonly #headers: UpstreamHeaders;
  readonly #reader: EventReader;
  readonly #client: ClientStream;
  /** Present where the events are decoded: to be translated, or for plugins that read typed events or the whole answer. */
  readonly #decoder: StreamDecoder | undefined;
  readonly #isTranslated: boolean;
  readonly #accumulator = new ResponseAccumulator();
  /** What the undecoded events have said so far. */
  #usage: Usage | undefined;
  #heldEvents = 0;
  #isCommitted = false;
  #hasContent = false;
  #hasTerminal = false;
  #hasFinish = false;
  #hasDone = false;
  /** A failure that the provider told within a stream that leaves as it came. */
  #inBand: ErrorInfo | undefined;
  /** The last bytes ended an event. */
  #isLastWhole = true;
  #isOver = false;

  constructor(attempt: Attempt, headers: UpstreamHeaders) {
    const { plan, run } = attempt;
    this.#attempt = attempt;
    this.#headers = headers;
    this.#isTranslated = plan.lane === 'translated';
    const isFramedAnew = this.#isTranslated || run.request.route.streamFraming === 'json-array';
    this.#reader = isFramedAnew ? new ParsedEventReader() : new WireEventReader();
    const { needs } = run;
    const isDecoded = this.#isTranslated || needs.streamEvent !== undefined || (needs.postLLM ?? 'head') !== 'head';
    if (isDecoded) this.#decoder = plan.codec.createStreamDecoder();
    this.#client = new ClientStream(run, {
      encoder: () => this.#createEncoder(plan.losses),
      isPassed: !this.#isTranslated,
      losses: plan.losses,
      startedAt: attempt.startedAt,
      onEnded: () => attempt.answered(),
    });
  }

  detach(): UsageTail {
    this.#isOver = true;
    return {
      push: (chunk) => this.#follow(() => this.#reader.push(chunk)),
      read: () => {
        this.#follow(() => this.#reader.finish());
        return this.#readUsage();
      },
    };
  }

  abandon(): void {
    if (this.#decoder !== undefined) this.#attempt.run.usage = this.#accumulator.usage;
  }

  push(chunk: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#take(this.#reader.push(chunk));
    } catch (error) {
      this.#break(asGatewayError(error));
    }
  }

  end(): void {
    if (this.#isOver) return;
    try {
      const rest = this.#reader.finish();
      if (rest.length > 0) this.#isLastWhole = false;
      this.#take(rest);
      if (this.#isOver) return;
      if (!this.#hasTerminal && !this.#hasFinish && this.#inBand === undefined) {
        const message = 'the provider ended the stream before the answer was complete';
        throw new GatewayError(message, { code: 'BF_STREAM_TRUNCATED', statusCode: 502, isRetryable: true });
      }
      this.#finish();
    } catch (error) {
      this.#break(asGatewayError(error));
    }
  }

  endEarly(): void {
    if (this.#isComplete) this.end();
  }

  fail(error: GatewayError): void {
    if (this.#isOver) return;
    if (this.#isComplete) this.#finish();
    else this.#break(error);
  }

  /** The answer has come to its end, though `[DONE]` may be missing; asked where the connection broke. */
  get #isComplete(): boolean {
    return this.#hasDone || ((this.#hasTerminal || this.#hasFinish) && !mayLackChoices(this.#attempt));
  }

  keepAlive(): void {
    if (this.#isOver || this.#attempt.run.request.route.streamFraming === 'json-array') return;
    commitAnswer(this.#attempt, 200, this.#headers);
    this.#attempt.run.writer.write(': keep-alive\n\n');
  }

  /** Looks at the events for what they report, and at nothing else. */
  #follow(read: () => readonly WireEvent[]): number | undefined {
    let isEnd = false;
    try {
      for (const { event } of read()) {
        if (event === undefined) continue;
        this.#noteEnd(event, this.#attempt.plan.codec.classifyStreamEvent(event));
        this.#framesOf(event);
        isEnd = true;
      }
    } catch {
      // Nobody can be told of an event that cannot be read: what was reported before it still counts.
      return 0;
    }
    return isEnd && (this.#hasTerminal || this.#hasFinish) ? this.#graceMs() : undefined;
  }

  #createEncoder(losses: Loss[]): StreamEncoder {
    const { run } = this.#attempt;
    if (this.#isTranslated) return createClientEncoder(run, losses);
    // Until something is changed nothing of what the encoder says goes out, so nothing is lost either.
    const add = (loss: Loss): void => {
      if (this.#client.isChanged) losses.push(loss);
    };
    return createShadowEncoder(run, { add });
  }

  #take(events: readonly WireEvent[]): void {
    const units: StreamUnit[] = [];
    for (const wireEvent of events) {
      const { event } = wireEvent;
      const kind = event === undefined ? undefined : this.#attempt.plan.codec.classifyStreamEvent(event);
      if (event !== undefined && kind === 'error' && !this.#isErrorPassed(event)) {
        this.#forward(units);
        this.#failInBand(inBandError(this.#attempt, event));
        return;
      }
      if (event !== undefined) this.#noteEnd(event, kind);
      if (kind === 'content') this.#hasContent = true;
      if (event !== undefined) this.#heldEvents += 1;
      units.push(this.#unitOf(wireEvent));
    }
    this.#forward(units);
    if (this.#hasTerminal || this.#hasFinish) this.#expectEnd(events);
  }

  #expectEnd(events: readonly WireEvent[]): void {
    if (this.#isOver || events.every(({ event }) => event === undefined)) return;
    this.#attempt.expectEnd(this.#graceMs());
  }

  #graceMs(): number {
    const hasUsage = this.#readUsage() !== undefined;
    const finished = { hasTerminal: this.#hasTerminal, hasDone: this.#hasDone, hasUsage };
    return endGraceMs(this.#attempt.plan.codec.name, finished);
  }

  #readUsage(): Usage | undefined {
    return this.#decoder === undefined ? this.#usage : this.#accumulator.usage;
  }

  #noteEnd(event: SseEvent, kind: StreamEventClass | undefined): void {
    if (kind !== 'terminal') return;
    this.#hasTerminal = true;
    if (isDoneEvent(event)) this.#hasDone = true;
  }

  /** An error within a stream that leaves as it came goes its way like the rest, once an answer has begun. */
  #isErrorPassed(event: SseEvent): boolean {
    if (this.#isTranslated || !(this.#hasContent || this.#isCommitted)) return false;
    this.#inBand ??= inBandError(this.#attempt, event);
    return true;
  }

  #unitOf({ event, bytes }: WireEvent): StreamUnit {
    const frames = event === undefined ? [] : this.#framesOf(event);
    if (this.#isTranslated) return { frames };
    return {
      wire: { event, bytes },
      frames,
      isWithheld: this.#attempt.plan.isUsageWithheld && event !== undefined && isUsageEvent(event.data),
    };
  }

  #framesOf(event: SseEvent): readonly StreamFrame[] {
    // A passed stream is complete by the signs of the passing lane, whoever looks at it.
    if (!this.#isTranslated && endsInDone(this.#attempt) && /"finish_reason"\s*:\s*"[^"]/.test(event.data)) {
      this.#hasFinish = true;
    }
    if (this.#decoder === undefined) {
      const usage = this.#attempt.plan.codec.readStreamUsage(event, this.#usage);
      if (usage !== undefined) this.#attempt.run.usage = this.#usage = { ...this.#usage, ...usage };
      return [];
    }
    const frames = this.#decoder.push(event);
    for (const frame of frames) {
      this.#accumulator.push(frame);
      if (this.#isTranslated && frame.events.some((one) => one.type === 'finish')) this.#hasFinish = true;
    }
    return frames;
  }

  #forward(units: readonly StreamUnit[]): void {
    this.#client.pushUnits(units);
    if (this.#isCommitted) return;
    const isFull = this.#client.heldCharacters > maxHeldBytes || this.#heldEvents > maxHeldEvents;
    if (this.#hasContent || this.#hasTerminal || isFull) this.#commit();
  }

  #commit(): void {
    if (this.#isCommitted) return;
    this.#isCommitted = true;
    this.#attempt.noteContent();
    commitAnswer(this.#attempt, 200, this.#headers);
    this.#client.open();
  }

  #failInBand(info: ErrorInfo): void {
    this.#isOver = true;
    this.#noteUsage();
    if (!this.#isCommitted) this.#attempt.failed(info);
    else this.#client.fail(info);
  }

  #break(error: GatewayError): void {
    this.#failInBand(error.toInfo());
  }

  #finish(): void {
    // The decoder closes what is open; that the terminal event is missing was judged above.
    const rest = this.#decoder?.finish() ?? [];
    const frames = rest.map((frame) => ({ ...frame, events: frame.events.filter((event) => event.type !== 'error') }));
    for (const frame of frames) this.#accumulator.push(frame);
    this.#client.pushUnits(frames.map((frame) => ({ frames: [frame] })));
    this.#commit();
    this.#isOver = true;
    this.#noteUsage();
    if (this.#inBand !== undefined) this.#attempt.run.error = this.#inBand;
    this.#client.end(this.#closing);
  }

  /** What a reader waits for after the last event: `[DONE]`, where the provider left it away. */
  get #closing(): string {
    if (this.#isTranslated || this.#inBand !== undefined || this.#hasDone || !endsInDone(this.#attempt)) return '';
    return `${this.#isLastWhole ? '' : '\n\n'}${formatSse(doneEvent)}`;
  }

  #noteUsage(): void {
    if (this.#decoder === undefined) return;
    const { run } = this.#attempt;
    run.usage = this.#accumulator.usage;
    if (run.plugins !== null) run.response = this.#accumulator.result();
  }
}

function asGatewayError(error: unknown): GatewayError {
  if (GatewayError.isInstance(error)) return error;
  return new GatewayError('a stream event of the provider could not be translated', {
    code: 'BF_STREAM_TRANSLATION_FAILED',
    statusCode: 502,
    cause: error,
  });
}
