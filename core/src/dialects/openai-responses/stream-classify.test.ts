import type { Json, JsonObject } from '@bifrost/sdk';
import { recordedBytes, recordingsOfApi } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { parseSse } from '../../sse/parser.ts';
import { classifyStreamEvent, readStreamUsage } from './stream-classify.ts';

function classOf(data: JsonObject, name: string | undefined = data['type'] as string): string {
  return classifyStreamEvent({ ...(name === undefined ? {} : { event: name }), data: JSON.stringify(data) });
}

describe('classes of stream events', () => {
  it.each<[string, string, JsonObject]>([
    ['lifecycle', 'the response begins', { type: 'response.created', response: { usage: null } }],
    ['lifecycle', 'it is queued', { type: 'response.queued', response: {} }],
    ['lifecycle', 'it goes on', { type: 'response.in_progress', response: {} }],
    ['lifecycle', 'an empty message', { type: 'response.output_item.added', item: { type: 'message', content: [] } }],
    ['lifecycle', 'an empty part', { type: 'response.content_part.added', part: { type: 'output_text', text: '' } }],
    ['lifecycle', 'an empty delta', { type: 'response.output_text.delta', delta: '' }],
    ['content', 'text', { type: 'response.output_text.delta', delta: 'a' }],
    ['content', 'a refusal', { type: 'response.refusal.delta', delta: 'no' }],
    ['content', 'reasoning', { type: 'response.reasoning_summary_text.delta', delta: 'a' }],
    ['content', 'arguments', { type: 'response.function_call_arguments.delta', delta: '{' }],
    ['content', 'a call begins', { type: 'response.output_item.added', item: { type: 'function_call', name: 'f' } }],
    ['content', 'a search', { type: 'response.web_search_call.in_progress', item_id: 'ws_1' }],
    ['content', 'something new', { type: 'response.hologram.delta', x: 1 }],
    ['terminal', 'the end', { type: 'response.completed', response: {} }],
    ['terminal', 'the end by length', { type: 'response.incomplete', response: {} }],
    ['error', 'a failed response', { type: 'response.failed', response: {} }],
    ['error', 'an error', { type: 'error', message: 'x' }],
  ])('%s: %s', (expected, _, data) => {
    expect(classOf(data)).toBe(expected);
    expect(classifyStreamEvent({ data: JSON.stringify(data) })).toBe(expected);
  });

  it('finds an error as the second event of a recorded 200', () => {
    const [recording] = recordingsOfApi('openai.responses').filter((one) => one.operation.includes('error_stream'));
    const events = parseSse(recordedBytes(recording?.response ?? { body_encoding: 'none' }));
    expect(events.slice(0, 4).map(classifyStreamEvent)).toEqual(['lifecycle', 'lifecycle', 'error', 'error']);
  });

  it('finds the one end and its usage in every recorded stream', () => {
    let count = 0;
    for (const { id, response } of recordingsOfApi('openai.responses')) {
      if (response.stream_format !== 'sse') continue;
      const events = parseSse(recordedBytes(response));
      const ends = events.filter((event) => ['terminal', 'error'].includes(classifyStreamEvent(event)));
      const last = events.at(-1);
      expect(ends.at(-1)).toBe(last);
      const whole = JSON.parse(last?.data ?? '{}') as { readonly response: { readonly usage?: Json } };
      const usages = events.flatMap((event) => readStreamUsage(event) ?? []);
      // Two responses stand in the one recorded body of this exchange.
      const responses = id.endsWith('openai-shell-tool-1-0-5552a8') ? 2 : 1;
      expect(usages).toHaveLength(whole.response.usage === null || whole.response.usage === undefined ? 0 : responses);
      count += usages.length;
    }
    expect(count).toBeGreaterThan(90);
  });

  it.each(['response.completed', 'response.incomplete', 'response.failed'])('reads the usage of %s', (type) => {
    const usage = {
      input_tokens: 10,
      input_tokens_details: { cached_tokens: 4, cache_write_tokens: 1 },
      output_tokens: 7,
      output_tokens_details: { reasoning_tokens: 5 },
      total_tokens: 17,
    };
    expect(readStreamUsage({ event: type, data: JSON.stringify({ type, response: { usage } }) })).toEqual({
      inputTokens: 5,
      cacheReadTokens: 4,
      cacheWriteTokens: 1,
      outputTokens: 2,
      reasoningTokens: 5,
      totalTokens: 17,
    });
  });
});
