import type { UpstreamHeaders } from '../upstream/call.ts';
import type { Attempt } from './attempt.ts';
import { BufferedWhole } from './buffered-whole.ts';
import { GuardedStream } from './guarded-stream.ts';
import { PassStream } from './pass-stream.ts';
import { PassWhole } from './pass-whole.ts';
import { EventStream } from './event-stream.ts';
import type { Relay } from './relay.ts';
import { StreamTail, WholeTail } from './usage-tail.ts';
import type { UsageTail } from './usage-tail.ts';
import { WholeUsage } from './whole-usage.ts';

/** Chooses how a good answer travels: bytes where nobody needs more, else events or a whole decoded body. */
export function createRelay(attempt: Attempt, statusCode: number, headers: UpstreamHeaders): Relay {
  const { run, plan } = attempt;
  if (run.isStream && !isJson(headers)) {
    const stream = needsEvents(attempt) ? new EventStream(attempt, headers) : new PassStream(attempt, headers);
    const guard = plan.runtime.config.network.throughputGuard;
    return guard === undefined ? stream : new GuardedStream(attempt, stream, guard);
  }
  return plan.lane === 'translated' || readsWhole(attempt)
    ? new BufferedWhole(attempt, statusCode, headers)
    : new PassWhole(attempt, statusCode, headers);
}

/** How the usage of a good answer is found whose client left before its head came. */
export function createTail({ run, plan }: Attempt, headers: UpstreamHeaders): UsageTail {
  if (run.isStream && !isJson(headers)) return new StreamTail(plan.codec);
  return new WholeTail(new WholeUsage(plan.codec));
}

function isJson(headers: UpstreamHeaders): boolean {
  return String(headers['content-type'] ?? '').includes('json');
}

function needsEvents(attempt: Attempt): boolean {
  const { run, plan } = attempt;
  if (plan.lane === 'translated' || run.request.route.streamFraming === 'json-array') return true;
  if (run.plugins === null) return false;
  // An explanation ends in a comment.
  if ((run.plugins.explanation ?? null) !== null) return true;
  const { needs } = run;
  return needs.streamChunk !== undefined || needs.streamEvent !== undefined || (needs.postLLM ?? 'head') !== 'head';
}

function readsWhole(attempt: Attempt): boolean {
  const { run } = attempt;
  if (run.plugins === null) return false;
  const { needs } = run;
  return needs.postLLM !== undefined || needs.httpPost !== undefined;
}
