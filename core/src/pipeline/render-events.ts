import type { ConversationResponse, ErrorInfo, StreamEvent } from '@bifrost/sdk';
import { ResponseAccumulator } from '../conversation/accumulator.ts';
import type { Loss } from '../dialects/codec.ts';
import { classifyFailure } from '../reliability/failure.ts';
import type { AttemptResult } from './attempt.ts';
import { ClientStream } from './client-stream.ts';
import { createClientEncoder } from './encode-response.ts';
import { maxHeldBytes, maxHeldEvents } from './pass-stream.ts';
import { PullGate } from './pull-gate.ts';
import { renderedHeaders } from './render-answer.ts';
import type { RequestRun } from './run.ts';
import { isContent, TimedEvents } from './timed-events.ts';

type Events = AsyncIterable<StreamEvent> | Iterable<StreamEvent>;

/** What a plugin's stream adds up to, for a client that wants a whole answer; or how it ended instead. */
export async function collectEvents(
  run: RequestRun,
  events: Events,
): Promise<{ readonly response: ConversationResponse } | { readonly result: AttemptResult }> {
  const source = new TimedEvents(run, events);
  const accumulator = new ResponseAccumulator();
  run.waitingFor = source;
  try {
    for (;;) {
      const drawn = await source.next();
      if (drawn.kind === 'end') break;
      if (drawn.kind === 'stopped') return { result: { kind: 'canceled' } };
      if (drawn.kind === 'failed') return { result: failedBy(drawn.error.toInfo()) };
      accumulator.push({ events: [drawn.event] });
    }
  } finally {
    source.close();
    run.waitingFor = null;
    run.usage = accumulator.usage;
  }
  return { response: accumulator.result() };
}

/** Answers with a plugin's stream: the commit point, the clocks and the end are as of a provider's. */
export function renderEvents(run: RequestRun, events: Events): Promise<AttemptResult> {
  return new EventsAnswer(run, events).send();
}

class EventsAnswer {
  readonly #run: RequestRun;
  readonly #source: TimedEvents;
  readonly #gate = new PullGate();
  readonly #accumulator = new ResponseAccumulator();
  readonly #losses: Loss[] = [];
  readonly #ended = Promise.withResolvers<void>();
  readonly #client: ClientStream;
  #events = 0;
  #isCommitted = false;

  constructor(run: RequestRun, events: Events) {
    this.#run = run;
    this.#source = new TimedEvents(run, events);
    const onEnded = (): void => {
      // A hook of another plugin may have ended the stream before its source did.
      this.#source.cancel();
      this.#ended.resolve();
    };
    this.#client = new ClientStream(run, {
      encoder: () => createClientEncoder(run, this.#losses),
      losses: this.#losses,
      startedAt: performance.now(),
      onEnded,
    });
  }

  async send(): Promise<AttemptResult> {
    const run = this.#run;
    run.lane = 'translated';
    run.writer.attach(this.#gate);
    run.waitingFor = this;
    const keepAlive = this.#startKeepAlive();
    let result: AttemptResult;
    try {
      result = await this.#draw();
    } finally {
      clearInterval(keepAlive);
      this.#source.close();
      run.usage = this.#accumulator.usage;
      run.response = this.#accumulator.result();
      run.writer.attach(null);
      run.waitingFor = null;
    }
    if (result.kind === 'answered') await this.#ended.promise;
    return result;
  }

  /** The client has gone. */
  cancel(): void {
    this.#source.cancel();
    this.#gate.cancel();
  }

  async #draw(): Promise<AttemptResult> {
    for (;;) {
      const drawn = await this.#source.next();
      if (this.#run.isCanceled) return { kind: 'canceled' };
      if (drawn.kind === 'event') {
        await this.#push(drawn.event);
      } else if (drawn.kind === 'failed' && !this.#isCommitted) {
        return failedBy(drawn.error.toInfo());
      } else {
        this.#commit();
        if (drawn.kind === 'end') this.#client.end();
        else if (drawn.kind === 'failed') this.#client.fail(drawn.error.toInfo());
        return { kind: 'answered' };
      }
    }
  }

  async #push(event: StreamEvent): Promise<void> {
    this.#events += 1;
    this.#accumulator.push({ events: [event] });
    this.#client.pushFrames([{ events: [event] }]);
    const isFull = this.#client.heldCharacters > maxHeldBytes || this.#events > maxHeldEvents;
    if (isContent(event) || isFull) this.#commit();
    if (this.#gate.isPaused) await this.#gate.resumed();
  }

  #commit(): void {
    if (this.#isCommitted) return;
    this.#isCommitted = true;
    this.#run.firstContentAt ??= performance.now();
    this.#begin();
    this.#client.open();
  }

  #begin(): void {
    const { writer } = this.#run;
    if (!writer.isCommitted) writer.begin(200, renderedHeaders(this.#run, this.#losses, 'text/event-stream'));
  }

  /** Comments for a client that waits; the head goes out with the first one, as while a provider thinks. */
  #startKeepAlive(): NodeJS.Timeout | undefined {
    const { request, snapshot, writer } = this.#run;
    const seconds = snapshot.client.keepAliveCommentSeconds;
    if (seconds <= 0 || request.route.streamFraming === 'json-array') return undefined;
    let noted = this.#events;
    return setInterval(() => {
      if (this.#events === noted || !this.#isCommitted) {
        this.#begin();
        writer.write(': keep-alive\n\n');
      }
      noted = this.#events;
    }, seconds * 1000);
  }
}

function failedBy(info: ErrorInfo): AttemptResult {
  return { kind: 'failed', failure: { info, class: classifyFailure(info) } };
}
