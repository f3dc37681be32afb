/**
 * Makes every text delta of a stream a whole JSON document: what the model has written so far, with what is open closed. A client
 * that shows an object while it grows parses each delta as it is, in the place of gathering and repairing text itself.
 * Text that is no JSON is left as it is.
 */
import { definePlugin, headerValue } from '@bifrost/sdk';
import type { HookContext, StreamEvent } from '@bifrost/sdk';
import { completeJson } from './complete-json.ts';

/** The entry's `config`; `bifrost-plugin.json` has its schema. */
export interface JsonParserConfig {
  readonly usage?: 'per_request' | 'all_requests';
}

/** The request header that switches the plugin on where `usage` is `per_request`. */
const jsonParserHeader = 'x-bf-json-parser';

const isOnKey = 'isOn';
const textKey = (event: { readonly part: string; readonly candidate?: number }): string =>
  `text ${event.candidate ?? 0} ${event.part}`;

function isOn(context: HookContext<JsonParserConfig>): boolean {
  return context.config.usage === 'all_requests' || context.state.get(isOnKey) === true;
}

/** Gathers the part's text and gives the document so far in its place. */
function growDocument(
  context: HookContext<JsonParserConfig>,
  event: Extract<StreamEvent, { readonly type: 'text-delta' }>,
): readonly StreamEvent[] | undefined {
  const key = textKey(event);
  const before = context.state.get(key);
  // The part turned out to be no JSON before.
  if (before === null) return undefined;
  const text = (typeof before === 'string' ? before : '') + event.text;
  const document = completeJson(text);
  if (document === undefined) {
    context.state.set(key, null);
    return undefined;
  }
  context.state.set(key, text);
  const { logprobs: _logprobs, isLast: _isLast, ...delta } = event;
  return document.trim() === '' ? [] : [{ ...delta, text: document }];
}

export default definePlugin<JsonParserConfig>({
  name: 'json-parser',
  version: '0.1.0',

  httpTransportPreHook: {
    when: (config) => config.usage !== 'all_requests',
    filter: { header: `${jsonParserHeader}: true` },
    handler(context, request) {
      if (headerValue(request.headers, jsonParserHeader) !== undefined) context.state.set(isOnKey, true);
    },
  },

  streamEventHook(context, event) {
    if (!isOn(context)) return undefined;
    if (event.type === 'text-delta') return growDocument(context, event);
    if (event.type === 'text-end') context.state.delete(textKey(event));
    return undefined;
  },
});
