import type { Loss } from '../dialects/codec.ts';
import { addLosses } from './response-headers.ts';
import type { RequestRun } from './run.ts';

/**
 * What a translation lost after the head of its answer went out, where the headers could not say it any more: it is told in SSE
 * comments that are named and bounded like the headers, and in one line of the log.
 */
export class LateLosses {
  readonly #run: RequestRun;
  readonly #losses: readonly Loss[];
  readonly #late: Loss[] = [];
  #notes: (() => string)[] = [];
  #seen = 0;

  /** `losses` grows while the answer is encoded. */
  constructor(run: RequestRun, losses: readonly Loss[]) {
    this.#run = run;
    this.#losses = losses;
  }

  /** Something else that the head could not say: told with the losses, in a comment of its own. `line` is asked for then. */
  note(line: () => string): void {
    this.#notes.push(line);
  }

  /** Something was lost that nobody has been told of; costs a comparison. Before the head nothing is late. */
  get isPending(): boolean {
    if (this.#notes.length > 0) return true;
    return this.#losses.length > Math.max(this.#seen, this.#run.lossesInHead) && this.#run.writer.isCommitted;
  }

  /** What has not been told yet, as SSE comments with their blank line; empty when all of it is known by name. */
  takeComments(): string {
    const { lossesInHead } = this.#run;
    const known = new Set([...this.#losses.slice(0, lossesInHead), ...this.#late].map(nameOf));
    const fresh = this.#losses.slice(Math.max(this.#seen, lossesInHead)).filter((loss) => !known.has(nameOf(loss)));
    this.#seen = this.#losses.length;
    this.#late.push(...fresh);
    const notes = this.#notes.map((line) => `: ${line()}\n`);
    this.#notes = [];
    const losses = Object.entries(listed(fresh)).map(([name, fields]) => `: ${name}: ${fields}\n`);
    const lines = [...notes, ...losses];
    return lines.length === 0 ? '' : `${lines.join('')}\n`;
  }

  /** Call once, at the end of the stream. Only names of fields are logged, no content. */
  log(): void {
    if (this.isPending) this.takeComments();
    if (this.#late.length === 0) return;
    const { request, services } = this.#run;
    services.logger?.info?.('a stream lost fields in translation after its head', {
      request_id: request.requestId,
      ...listed(this.#late),
    });
  }
}

function nameOf(loss: Loss): string {
  return `${loss.action} ${loss.field}`;
}

function listed(losses: readonly Loss[]): Record<string, string> {
  const headers: Record<string, string> = {};
  addLosses(headers, losses);
  return headers;
}
