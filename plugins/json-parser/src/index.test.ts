import { describe, expect, it } from 'vitest';
import type { HookContext, HttpRequest, Json, StreamEvent } from '@bifrost/sdk';
import plugin from './index.ts';
import type { JsonParserConfig } from './index.ts';

function contextOf(config: JsonParserConfig): HookContext<JsonParserConfig> {
  // The plugin uses these two members and no other.
  return { config, state: new Map<string, Json>() } as unknown as HookContext<JsonParserConfig>;
}

const delta = (text: string, part = '0'): StreamEvent => ({ type: 'text-delta', part, text });

function textsOf(
  config: JsonParserConfig,
  events: readonly StreamEvent[],
  headers: HttpRequest['headers'] = {},
): readonly string[] {
  const context = contextOf(config);
  const pre = plugin.httpTransportPreHook;
  if (typeof pre === 'object' && 'x-bf-json-parser' in headers) {
    void pre.handler(context, { method: 'POST', path: '/', query: {}, headers });
  }
  const hook = plugin.streamEventHook;
  if (typeof hook !== 'function') throw new TypeError('expected a bare hook');
  return events.flatMap((event) => {
    const made = hook(context, event) as readonly StreamEvent[] | undefined;
    return (made ?? [event]).flatMap((one) => (one.type === 'text-delta' ? [one.text] : []));
  });
}

describe('json-parser', () => {
  it('gives the whole document so far in every delta', () => {
    const events = ['{"name": "A', 'da", "age"', ': 3', '6}'].map((text) => delta(text));
    expect(textsOf({ usage: 'all_requests' }, events)).toEqual([
      '{"name": "A"}',
      '{"name": "Ada"}',
      '{"name": "Ada", "age": 3}',
      '{"name": "Ada", "age": 36}',
    ]);
  });

  it('keeps parts apart', () => {
    const events = [delta('[1', 'a'), delta('[2', 'b'), delta(', 3]', 'a'), delta(']', 'b')];
    expect(textsOf({ usage: 'all_requests' }, events)).toEqual(['[1]', '[2]', '[1, 3]', '[2]']);
  });

  it('leaves text alone that is no JSON', () => {
    const events = ['Hello', ' {"a": 1}'].map((text) => delta(text));
    expect(textsOf({ usage: 'all_requests' }, events)).toEqual(['Hello', ' {"a": 1}']);
  });

  it('works only where the header asks for it, unless it is on for all requests', () => {
    expect(textsOf({}, [delta('[1')])).toEqual(['[1']);
    expect(textsOf({}, [delta('[1')], { 'x-bf-json-parser': 'true' })).toEqual(['[1]']);
  });
});
