import type { HookName } from '@bifrost/sdk';
import type { ObservedCall } from './observe-hooks.ts';
import { differences } from './plain-value.ts';
import type { Plain } from './plain-value.ts';

/** Calls of one hook in one request that two runs do not agree on. */
export interface CallDifference {
  /** Request and hook. */
  readonly key: string;
  readonly hook: HookName;
  readonly text: string;
}

function shown(value: Plain): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function grouped(calls: readonly ObservedCall[]): Map<string, ObservedCall[]> {
  const groups = new Map<string, ObservedCall[]>();
  for (const call of calls) {
    const key = `${call.requestId} ${call.hook}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [call]);
    else group.push(call);
  }
  return groups;
}

/** Where the answers of two runs differ, hook by hook and request by request, in the order of the calls. */
export function compareIsolations(
  before: readonly ObservedCall[],
  after: readonly ObservedCall[],
): readonly CallDifference[] {
  const [left, right] = [grouped(before), grouped(after)];
  return [...left].flatMap(([key, calls]): CallDifference[] => {
    const others = right.get(key) ?? [];
    const [first] = calls;
    if (first === undefined) return [];
    const { hook } = first;
    if (others.length !== calls.length) {
      return [{ key, hook, text: `${calls.length} calls here, ${others.length} there (${first.requestId})` }];
    }
    for (const [index, call] of calls.entries()) {
      const other = others[index];
      const end = (each: ObservedCall | undefined): Plain => each?.threw ?? each?.returned;
      const [difference] = differences(end(call), end(other));
      if (difference === undefined) continue;
      const where = difference.path === '' ? 'its answer' : difference.path;
      return [{ key, hook, text: `${where} is ${shown(difference.before)} here and ${shown(difference.after)} there` }];
    }
    return [];
  });
}
