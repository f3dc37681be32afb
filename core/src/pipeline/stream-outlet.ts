import type { ErrorInfo } from '@bifrost/sdk';
import { andThen } from '../plugins/maybe-promise.ts';
import type { MaybePromise } from '../plugins/maybe-promise.ts';
import type { SseEvent } from '../sse/event.ts';
import { toChunk } from './client-stream-item.ts';
import type { ClientStreamOptions } from './client-stream-item.ts';
import { ContentMark } from './content-mark.ts';
import { LateLosses } from './late-losses.ts';
import { OutgoingText } from './outgoing-text.ts';
import { writeStreamError } from './respond-error.ts';
import type { RequestRun } from './run.ts';
import type { OutgoingEvent } from './stream-unit.ts';

/**
 * The last stretch of a stream to the client: each event past the hooks that look at chunks, the comments that tell what the head could
 * not say, and the one end, clean or not. What is appended waits for `flush`, so that one call of the stream is one write.
 */
export class StreamOutlet {
  /** Nothing leaves any more. */
  isEnded = false;
  /** A plugin has changed something of a stream that would have left as it came. */
  isChangeNoted = false;
  readonly #run: RequestRun;
  readonly #options: ClientStreamOptions;
  readonly #hasChunkHook: boolean;
  readonly #isArray: boolean;
  readonly #losses: LateLosses;
  readonly #text: OutgoingText;
  readonly #content: ContentMark;
  readonly #onEnding: () => void;
  #index = 0;
  /** Everything has been appended: the next flush ends the stream. */
  #isFinishing = false;

  /** `onEnding` is called with the last thing that is written, or in its place. */
  constructor(run: RequestRun, options: ClientStreamOptions, onEnding: () => void) {
    this.#run = run;
    this.#options = options;
    this.#onEnding = onEnding;
    this.#losses = new LateLosses(run, options.losses);
    this.#isArray = run.request.route.streamFraming === 'json-array';
    this.#text = new OutgoingText(this.#isArray);
    this.#content = new ContentMark(run);
    const explanation = run.plugins?.explanation ?? null;
    if (explanation !== null) this.#losses.note(() => `bf-explain ${explanation.comment()}`);
    this.#hasChunkHook = run.needs.streamChunk !== undefined;
  }

  /** Characters and bytes that wait for `flush`. */
  get size(): number {
    return this.#text.size;
  }

  keepAlive(): void {
    if (!this.#isArray && !this.isEnded) this.#run.writer.write(': keep-alive\n\n');
  }

  /** Appends the events from `from` on, each past the hooks that look at chunks. */
  append(events: readonly OutgoingEvent[], isChanged: boolean, from = 0): MaybePromise<void> {
    for (let index = from; index < events.length; index += 1) {
      const outgoing = events[index];
      if (outgoing === undefined || this.isEnded) return undefined;
      const { event } = outgoing;
      if (event === undefined) {
        this.#text.add(outgoing);
        continue;
      }
      if (isChanged) this.#noteChange();
      if (this.#losses.isPending) this.#tellLosses(event);
      const hooked = this.#hasChunkHook ? this.#hookChunk(event, outgoing) : this.#text.add(outgoing);
      if (!this.#content.isOut) this.#content.look(event);
      if (hooked instanceof Promise) return hooked.then(() => this.append(events, isChanged, index + 1));
    }
    return undefined;
  }

  /** Nothing is appended after this; `closing` is the dialect's own end where the events are not what ends it. */
  finish(closing: string): void {
    if (this.isEnded) return;
    this.#text.addText(closing);
    this.#tellLosses();
    this.#isFinishing = true;
  }

  /** Writes what was appended, and ends the stream where it is finished. */
  flush(): void {
    if (this.isEnded) return;
    this.#write();
    if (!this.#isFinishing) return;
    this.close();
    this.#run.writer.end(this.#text.arrayEnd);
    this.#tellEnd();
  }

  /** Writes what was appended, then the dialect's error event. */
  fail(error: ErrorInfo): void {
    if (this.isEnded) return;
    this.close();
    this.#tellLosses();
    this.#write();
    writeStreamError(this.#run, error);
    this.#tellEnd();
  }

  /** Ends it without a word: nobody reads any more. */
  close(): void {
    this.isEnded = true;
    this.#onEnding();
  }

  #hookChunk(event: SseEvent, outgoing: OutgoingEvent): MaybePromise<void> {
    const { plugins } = this.#run;
    const chunk = toChunk(event, this.#index++);
    const result = plugins === null ? chunk : plugins.streamChunk(chunk);
    if (result instanceof Promise) this.flush();
    return andThen(result, (hooked) => {
      if (this.isEnded) return;
      if (hooked === chunk) {
        this.#text.add(outgoing);
        return;
      }
      this.#noteChange();
      if (hooked === null) return;
      if ('error' in hooked) this.fail(hooked.error);
      else this.#text.add({ event: hooked });
    });
  }

  /** The head has said the lane that the answer began on: what a plugin made of it since is told like a late loss. */
  #noteChange(): void {
    if (this.#options.isPassed !== true || this.isChangeNoted) return;
    this.isChangeNoted = true;
    this.#run.lane = 'translated';
    this.#losses.note(() => 'x-bf-lane: translated');
  }

  /** Late losses are told before the event that ends the stream for its reader, what is known only after it at the very end. */
  #tellLosses(next?: SseEvent): void {
    if (this.#isArray || !this.#losses.isPending) return;
    if (next !== undefined && this.#run.clientCodec.classifyStreamEvent(next) !== 'terminal') return;
    this.#text.addText(this.#losses.takeComments());
  }

  #write(): void {
    const text = this.#text.take();
    if (text !== undefined) this.#run.writer.write(text);
  }

  #tellEnd(): void {
    this.#losses.log();
    this.#options.onEnded();
  }
}
