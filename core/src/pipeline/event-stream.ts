import { GatewayError } from '@bifrost/sdk';
import type { ErrorInfo, StreamFrame, Usage } from '@bifrost/sdk';
import { ResponseAccumulator } from '../conversation/accumulator.ts';
import type { StreamDecoder } from '../dialects/codec.ts';
import { SseParser } from '../sse/parser.ts';
import type { SseEvent } from '../sse/event.ts';
import type { UpstreamHeaders } from '../upstream/call.ts';
import type { Attempt } from './attempt.ts';
import { ClientStream } from './client-stream.ts';
import { commitAnswer } from './commit-answer.ts';
import { doneEvent, endsInDone, isDoneEvent, mayLackChoices } from './done-marker.ts';
import { createClientEncoder } from './encode-response.ts';
import { inBandError } from './in-band-error.ts';
import { maxHeldBytes, maxHeldEvents } from './pass-stream.ts';
import type { Relay } from './relay.ts';
import { isUsageEvent } from './usage-events.ts';

/**
 * Takes a stream apart into events: to translate it, to frame it anew, or because a plugin looks at it. Commit point, errors and
 * truncation are as on the passing lane.
 */
export class EventStream implements Relay {
  readonly #attempt: Attempt;
  readonly #headers: UpstreamHeaders;
  readonly #parser = new SseParser();
  readonly #client: ClientStream;
  /** Present where the events are decoded: to be translated, or for plugins that read typed events or the whole answer. */
  readonly #decoder: StreamDecoder | undefined;
  readonly #isTyped: boolean;
  readonly #accumulator = new ResponseAccumulator();
  /** What the undecoded events have said so far. */
  #usage: Usage | undefined;
  #heldEvents = 0;
  #isCommitted = false;
  #hasContent = false;
  #hasTerminal = false;
  #hasFinish = false;
  #hasDone = false;
  #isOver = false;

  constructor(attempt: Attempt, headers: UpstreamHeaders) {
    const { plan, run } = attempt;
    this.#attempt = attempt;
    this.#headers = headers;
    const { needs } = run;
    this.#isTyped = plan.lane === 'translated' || needs.streamEvent !== undefined;
    if (this.#isTyped || (needs.postLLM ?? 'head') !== 'head') this.#decoder = plan.codec.createStreamDecoder();
    const encoder = this.#isTyped ? createClientEncoder(run, plan.losses) : undefined;
    this.#client = new ClientStream(run, encoder, () => this.#ended(), plan.losses);
  }

  push(chunk: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#take(this.#parser.push(chunk));
    } catch (error) {
      this.#break(asGatewayError(error));
    }
  }

  end(): void {
    if (this.#isOver) return;
    try {
      this.#take(this.#parser.finish());
      if (this.#isOver) return;
      if (!this.#hasTerminal && !this.#hasFinish) {
        const message = 'the provider ended the stream before the answer was complete';
        throw new GatewayError(message, { code: 'BF_STREAM_TRUNCATED', statusCode: 502, isRetryable: true });
      }
      this.#finish();
    } catch (error) {
      this.#break(asGatewayError(error));
    }
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

  #take(events: readonly SseEvent[]): void {
    const passed: SseEvent[] = [];
    const frames: StreamFrame[] = [];
    for (const event of events) {
      const kind = this.#attempt.plan.codec.classifyStreamEvent(event);
      if (kind === 'error') {
        this.#forward(passed, frames);
        this.#failInBand(inBandError(this.#attempt, event));
        return;
      }
      if (kind === 'content') this.#hasContent = true;
      else if (kind === 'terminal') {
        this.#hasTerminal = true;
        if (isDoneEvent(event)) this.#hasDone = true;
      }
      this.#heldEvents += 1;
      if (this.#decoder !== undefined) {
        for (const frame of this.#decoder.push(event)) {
          this.#accumulator.push(frame);
          if (frame.events.some((one) => one.type === 'finish')) this.#hasFinish = true;
          frames.push(frame);
        }
      } else this.#noteUndecoded(event);
      if (!this.#isTyped && !(this.#attempt.plan.isUsageWithheld && isUsageEvent(event.data))) passed.push(event);
    }
    this.#forward(passed, frames);
  }

  #noteUndecoded(event: SseEvent): void {
    const usage = this.#attempt.plan.codec.readStreamUsage(event, this.#usage);
    if (usage !== undefined) this.#attempt.run.usage = this.#usage = { ...this.#usage, ...usage };
    if (/"finish_reason"\s*:\s*"[^"]/.test(event.data)) this.#hasFinish = true;
  }

  #forward(events: readonly SseEvent[], frames: readonly StreamFrame[]): void {
    if (this.#isTyped) this.#client.pushFrames(frames);
    else if (events.length > 0) this.#client.pushEvents(events);
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
    if (this.#isTyped) this.#client.pushFrames(frames);
    else if (!this.#hasDone && endsInDone(this.#attempt)) this.#client.pushEvents([doneEvent]);
    this.#commit();
    this.#isOver = true;
    this.#noteUsage();
    this.#client.end();
  }

  #noteUsage(): void {
    if (this.#decoder === undefined) return;
    const { run } = this.#attempt;
    run.usage = this.#accumulator.usage;
    if (run.plugins !== null) run.response = this.#accumulator.result();
  }

  #ended(): void {
    this.#attempt.answered();
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
