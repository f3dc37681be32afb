/** What a plugin's author is told of a call that failed: the failure, and for the commonest mistakes what to do. */
import type { PluginFailure } from '@bifrost/sdk';

const frozenAdvice =
  /read only property|object is not extensible|Cannot (?:assign|add|delete|define)|can't be modified/i;

/** The sentence for a failed call. `reads`: what the hook asks to read, where it says so. */
export function adviseOn({ hook, kind, message }: PluginFailure, reads: unknown): string {
  if (kind === 'threw' && frozenAdvice.test(message)) {
    const advice = message.includes('read-only') ? '' : ': inputs are read-only, return the change instead';
    return `${hook} changes its input in place: ${message}${advice}`;
  }
  if (kind === 'timeout') return `${hook} ${message}: a request would wait that long`;
  if (kind !== 'threw') return `${hook} ${message}`;
  const isUnread = /of undefined/.test(message) && (reads === undefined || reads === 'head') && hook in shownOnDemand;
  return `${hook} threw: ${message}${isUnread ? `. It reads the head alone: ${shownOnDemand[hook]}` : ''}`;
}

/** What a hook without `reads` is not shown. */
const shownOnDemand: Readonly<Record<string, string>> = {
  httpTransportPreAuthHook: "`body` is shown with `reads: 'body'`",
  httpTransportPreHook: "`body` is shown with `reads: 'body'`",
  preRequestHook: "`conversation` is shown with `reads: 'messages'`",
  preLLMHook: "`conversation` is shown with `reads: 'messages'`",
  postLLMHook: "`response` is shown with `reads: 'messages'`",
  httpTransportPostHook: "`body` is shown with `reads: 'body'`",
};
