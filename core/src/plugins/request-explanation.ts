/** Writes down what a request's hooks decided, for the one who asked. */
import type { ExplainedCall, Explanation } from '@bifrost/sdk';
import { describeCall } from './describe-call.ts';
import type { CallDescription } from './describe-call.ts';
import type { HookEntry } from './hook-entry.ts';
import type { EndedHookCall, HookObserver, SkipReason } from './hook-observer.ts';

/** The request header that asks for it. */
export const explainHeader = 'x-bf-explain';

const maxCalls = 200;
const maxSummaryCharacters = 1500;

export class RequestExplanation implements HookObserver {
  readonly #calls: ExplainedCall[] = [];
  #leftOut = 0;
  #attempt = -1;

  attemptBegins(): void {
    this.#attempt += 1;
  }

  after(call: EndedHookCall): void {
    this.#add(call.entry, describeCall(call), call.durationMs * 1000);
  }

  skipped(entry: HookEntry, reason: SkipReason): void {
    this.#add(entry, { decision: 'skipped', reason }, 0);
  }

  /** Everything so far, changes included: for operators. */
  result(): Explanation {
    return { calls: [...this.#calls], leftOut: this.#leftOut };
  }

  /** For the head of an answer: `plugin.hook=decision;us=12` of each call, separated by commas, at most about 1500 characters. */
  summary(): string {
    let text = '';
    for (const [index, call] of this.#calls.entries()) {
      const item = `${call.plugin}.${call.hook}=${call.decision};us=${call.timeUs}${call.calls > 1 ? `;calls=${call.calls}` : ''}`;
      if (text.length + item.length > maxSummaryCharacters) {
        return `${text}, and ${this.#calls.length - index + this.#leftOut} more`;
      }
      text += text === '' ? item : `, ${item}`;
    }
    return text;
  }

  /**
   * For the end of a stream: one line of JSON, without reasons and changes. Those show what a plugin knows and adds, which is for
   * operators: they are on the trace.
   */
  comment(): string {
    const calls = this.#calls.map(({ plugin, hook, attempt, decision, calls: count, timeUs }) => ({
      plugin,
      hook,
      ...(attempt === undefined ? {} : { attempt }),
      decision,
      calls: count,
      timeUs,
    }));
    return JSON.stringify({ calls, leftOut: this.#leftOut });
  }

  #add(entry: HookEntry, description: CallDescription, timeUs: number): void {
    const { hook } = entry;
    const plugin = entry.slot.instance.name;
    const last = this.#calls.findLast((call) => call.plugin === plugin && call.hook === hook);
    if (isRepeated(last, description, this.#attempt)) {
      const time = Math.round((last.timeUs + timeUs) * 10) / 10;
      this.#calls[this.#calls.lastIndexOf(last)] = { ...last, calls: last.calls + 1, timeUs: time };
      return;
    }
    if (this.#calls.length >= maxCalls) {
      this.#leftOut += 1;
      return;
    }
    this.#calls.push({
      plugin,
      hook,
      ...(this.#attempt < 0 ? {} : { attempt: this.#attempt }),
      ...description,
      calls: 1,
      timeUs: Math.round(timeUs * 10) / 10,
    });
  }
}

/** A stream's hooks are called for every event: those that change nothing are counted, not listed. */
function isRepeated(
  last: ExplainedCall | undefined,
  { decision, reason }: CallDescription,
  attempt: number,
): last is ExplainedCall {
  if (last === undefined || last.decision !== decision || last.reason !== reason) return false;
  return (decision === 'unchanged' || decision === 'skipped') && (last.attempt ?? -1) === attempt;
}
