import type { SseEvent } from '../sse/event.ts';
import type { RequestRun } from './run.ts';

/** Tells the plugins' figures when the first content of a stream has gone out. */
export class ContentMark {
  readonly #run: RequestRun;
  /** Nothing is looked for any more, or nobody wants to know. */
  isOut: boolean;

  constructor(run: RequestRun) {
    this.#run = run;
    this.isOut = run.plugins === null;
  }

  look(event: SseEvent): void {
    if (this.#run.clientCodec.classifyStreamEvent(event) === 'lifecycle') return;
    this.isOut = true;
    this.#run.plugins?.noteContentOut?.();
  }
}
