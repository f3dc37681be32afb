import type { JsonObject, StreamEvent } from '@bifrost/sdk';
import { recordingsOfApi } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { parseSse } from '../../sse/parser.ts';
import type { StreamEventClass } from '../codec.ts';
import { openaiChatCodec as codec } from './codec.ts';

const streams = recordingsOfApi('openai.chat_completions', 'openai.completions').filter(
  (one) => one.response.stream_format === 'sse',
);
const wire = (delta: JsonObject, more: JsonObject = {}): string =>
  JSON.stringify({ id: 'x', choices: [{ index: 0, delta, finish_reason: null, ...more }] });

describe('the class of an undecoded chunk', () => {
  it.each<[StreamEventClass, string]>([
    ['terminal', '[DONE]'],
    ['terminal', wire({}, { finish_reason: 'stop' })],
    ['terminal', wire({ content: 'all at once' }, { finish_reason: 'length' })],
    ['content', wire({ content: 'a' })],
    ['content', '{ "choices" : [ { "delta" : { "content" : "a" } } ] }'],
    ['content', wire({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'a' }] }] })],
    ['content', wire({ reasoning_content: 'a', content: null })],
    ['content', wire({ refusal: 'No' })],
    ['content', wire({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '' } }] })],
    ['content', wire({ function_call: { arguments: '' } })],
    ['content', wire({ audio: { data: 'AAAA' } })],
    ['content', wire({ executed_tools: [{ type: 'search' }] })],
    ['content', 'not json at all'],
    ['content', '{"type":"something.new"}'],
    ['lifecycle', wire({ role: 'assistant', content: '' })],
    ['lifecycle', wire({ role: 'assistant', content: '', refusal: '', tool_calls: null, reasoning: '' })],
    ['lifecycle', wire({}, { finish_reason: '' })],
    ['lifecycle', wire({ token_id: 5 })],
    ['lifecycle', '{"id":"x","choices":[],"usage":{"prompt_tokens":1}}'],
    ['lifecycle', '{"id":"","choices":[],"prompt_filter_results":[{"prompt_index":0}]}'],
    ['error', '{"error":{"message":"overloaded"}}'],
    ['error', '{"error": "overloaded"}'],
    [
      'error',
      '{"id":"x","error":{"code":502,"message":"gone"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}',
    ],
    ['content', wire({ content: '{"error":{"message":"quoted"}}' })],
    ['content', wire({ content: '"finish_reason":"stop"' })],
  ])('is %s for %s', (expected, data) => {
    expect(codec.classifyStreamEvent({ data })).toBe(expected);
  });

  it('is error for an event of that name', () => {
    expect(codec.classifyStreamEvent({ event: 'error', data: '{"message":"x"}' })).toBe('error');
  });

  it('agrees with the decoder over every chunk of every recording', () => {
    const counts = { content: 0, lifecycle: 0, terminal: 0, error: 0 };
    const isContent = (event: StreamEvent): boolean => /-delta$|^tool-call-start$|^opaque$/.test(event.type);
    for (const { id, api, response } of streams) {
      if (api !== 'openai.chat_completions') continue;
      const decoder = codec.createStreamDecoder();
      for (const event of parseSse(response.body as string)) {
        const kind = codec.classifyStreamEvent(event);
        counts[kind] += 1;
        const events = decoder.push(event).flatMap((frame) => frame.events);
        if (kind === 'lifecycle') expect(events.filter(isContent), `${id}: ${event.data}`).toEqual([]);
        if (events.some(isContent)) expect(['content', 'terminal'], `${id}: ${event.data}`).toContain(kind);
        if (event.data !== '[DONE]')
          expect(kind === 'terminal', `${id}: ${event.data}`).toBe(/"finish_reason": ?"[a-z]/.test(event.data));
      }
    }
    expect(counts.content).toBeGreaterThan(6000);
    expect(counts.lifecycle).toBeGreaterThan(100);
    expect(counts.error).toBe(1);
  });
});

describe('the usage of an undecoded chunk', () => {
  it('is what the decoder reads, over every chunk of every recording', () => {
    let count = 0;
    for (const { response } of streams) {
      const decoder = codec.createStreamDecoder();
      for (const event of parseSse(response.body as string)) {
        const expected = decoder
          .push(event)
          .flatMap((frame) => frame.events)
          .find((one) => one.type === 'usage');
        expect(codec.readStreamUsage(event)).toEqual(expected?.usage);
        if (expected !== undefined) count += 1;
      }
    }
    expect(count).toBeGreaterThan(100);
  });

  it('is not looked for where there is none', () => {
    expect(codec.readStreamUsage({ data: '{"usage":null,"broken' })).toBeUndefined();
    expect(codec.readStreamUsage({ data: wire({ content: '"usage":{"prompt_tokens":1}' }) })).toBeUndefined();
    expect(codec.readStreamUsage({ data: '[DONE]' })).toBeUndefined();
  });
});
