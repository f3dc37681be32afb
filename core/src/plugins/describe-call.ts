/** What a hook call decided, in the words of an explanation. */
import type { HookDecision, ValueChange } from '@bifrost/sdk';
import type { EndedHookCall } from './hook-observer.ts';
import { valueChanges } from './value-changes.ts';

export interface CallDescription {
  readonly decision: HookDecision;
  readonly reason?: string;
  readonly changes?: readonly ValueChange[];
}

const unchanged: CallDescription = { decision: 'unchanged' };

/** Members by which a pre hook ends its pass, and the decision that each is. */
const endings = [
  ['response', 'response'],
  ['result', 'response'],
  ['stream', 'stream'],
  ['error', 'error'],
] as const satisfies readonly (readonly [string, HookDecision])[];

export function describeCall(call: EndedHookCall): CallDescription {
  const { entry, pass, input, returned, isStopped, failure } = call;
  if (failure !== undefined) {
    return { decision: isStopped ? 'denied' : 'failed', reason: `${failure.kind}: ${failure.message}` };
  }
  if (returned === undefined) return unchanged;
  if (Array.isArray(returned)) return describeEvents(call, returned);
  if (isStopped && returned === null) return { decision: 'changed', changes: [{ op: 'remove', path: '' }] };
  if (isStopped && typeof returned === 'object') {
    const decided = endings.find(([member]) => Object.hasOwn(returned ?? {}, member));
    if (decided !== undefined) {
      const [member, decision] = decided;
      // A stream is the plugin's to iterate: it is not looked into.
      return decision === 'stream'
        ? { decision }
        : { decision, changes: valueChanges({}, pick(returned ?? {}, member)) };
    }
  }
  if (entry.hook === 'postLLMHook' && isStopped) return describeEvents(call, Object.values(returned ?? {})[0]);
  const changes = valueChanges(input, pass.input(entry));
  return changes.length === 0 ? unchanged : { decision: 'changed', changes };
}

/** The events that a hook put in the place of one; without `isStopped` they were the same. */
function describeEvents({ input, isStopped }: EndedHookCall, events: unknown): CallDescription {
  if (!isStopped) return unchanged;
  const list: readonly unknown[] = Array.isArray(events) ? events : [];
  const isError = list.some(
    (event) => typeof event === 'object' && event !== null && 'type' in event && event.type === 'error',
  );
  return { decision: isError ? 'error' : 'changed', changes: valueChanges([input], list) };
}

function pick(value: object, member: string): object {
  return { [member]: Object.entries(value).find(([name]) => name === member)?.[1] };
}
