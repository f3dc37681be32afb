/** What a request's contexts hold, brought to the runner and back. */
import type { RequestContext } from '@bifrost/core';
import type { Json } from '@bifrost/sdk';
import type { ContextEffects } from './protocol.ts';

/** The values that differ from what was sent; `sent` is brought up to date. */
export function newValues(values: ReadonlyMap<string, Json>, sent: Map<string, Json>): (readonly [string, Json])[] {
  const news: (readonly [string, Json])[] = [];
  for (const [key, value] of values) {
    if (sent.get(key) === value && sent.has(key)) continue;
    sent.set(key, value);
    news.push([key, value]);
  }
  return news;
}

/** What the plugin did through its context over there is done through the context here, which ignores it after a deadline. */
export function applyEffects(context: RequestContext, effects: ContextEffects | undefined): void {
  if (effects === undefined) return;
  try {
    for (const [key, value] of effects.values ?? []) context.setValue(key, value);
    for (const [key, value] of effects.attributes ?? []) context.setTraceAttribute(key, value);
    for (const message of effects.routingNotes ?? []) context.addRoutingNote(message);
  } catch {
    // Only a runner that was tampered with names another plugin's value: nothing is set then.
  }
}
