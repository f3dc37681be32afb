import type { DialectName, JsonObject } from '@bifrost/sdk';
import type { SseEvent } from '../sse/event.ts';
import type { Attempt } from './attempt.ts';
import { parseBody } from './encode-request.ts';

/** What ends a stream for the readers of OpenAI's older dialects. */
export const doneEvent: SseEvent = { data: '[DONE]' };

const markedDialects = new Set<DialectName>(['openai-chat', 'openai-completions']);

export function isDoneEvent(event: SseEvent): boolean {
  return event.data.startsWith('[DONE]');
}

/** Whether streams of a dialect end in `[DONE]`. */
export function isMarkedDialect(dialect: DialectName): boolean {
  return markedDialects.has(dialect);
}

/** Whether a stream of this provider's dialect has to end in `[DONE]` for the client. */
export function endsInDone({ plan }: Attempt): boolean {
  return isMarkedDialect(plan.codec.name);
}

/**
 * True where a stream that broke after a finish reason and before `[DONE]` may lack a part all the same: it has several choices, of
 * which one has finished, and the provider is none that leaves the marker away (`noDoneMarker`).
 */
export function mayLackChoices(attempt: Attempt): boolean {
  const { plan, run } = attempt;
  if (!endsInDone(attempt) || plan.surface.quirks?.noDoneMarker === true) return false;
  const route = run.request.route.dialect;
  // Only these dialects ask for choices by these names; the others' requests have one candidate, or end by their own events.
  if (!markedDialects.has(route)) return false;
  let fields: JsonObject;
  try {
    fields = parseBody(run);
  } catch {
    return true; // a stored body that there is no room for: nobody can say that nothing is missing
  }
  const { n, prompt } = fields;
  return (
    (typeof n === 'number' && n > 1) || (Array.isArray(prompt) && prompt.length > 1 && typeof prompt[0] !== 'number')
  );
}
