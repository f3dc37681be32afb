import { describe, expect, it } from 'vitest';
import type { Candidate, ConversationRequest, ConversationResponse, Message, Part } from '@bifrost/sdk';
import { compareRequests, residueDifferences } from './compare-request.ts';
import { compareResponses } from './compare-response.ts';
import { isCovered } from './loss-cover.ts';

const parts: readonly Part[] = [
  { type: 'reasoning', text: 'hm', signature: 'sig', origin: 'anthropic-messages' },
  { type: 'text', text: 'Hello', citations: [{ url: 'https://a.example', title: 'A' }] },
  { type: 'tool-call', id: 'call_1', name: 'f', arguments: '{"x": 1}' },
  { type: 'refusal', text: 'no' },
  { type: 'server-tool', dialect: 'anthropic-messages', name: 'web_search', value: {} },
];
const messages: readonly Message[] = [
  { role: 'system', parts: [{ type: 'text', text: 'Be brief' }] },
  {
    role: 'user',
    parts: [
      { type: 'text', text: 'Hi' },
      { type: 'media', kind: 'image', source: { type: 'base64', data: 'AAAA' }, mediaType: 'image/png' },
    ],
  },
  { role: 'assistant', parts },
  { role: 'tool', parts: [{ type: 'tool-result', toolCallId: 'call_1', content: [{ type: 'text', text: '42' }] }] },
];
const request: ConversationRequest = {
  model: 'm',
  stream: false,
  messages,
  tools: [{ type: 'function', name: 'f', description: 'd', parameters: { type: 'object' }, strict: true }],
  toolChoice: { type: 'tool', name: 'f' },
  responseFormat: { type: 'json-schema', schema: { type: 'object' } },
  maxOutputTokens: 5,
  temperature: 0.5,
  stopSequences: ['x'],
  seed: 1,
};
const response: ConversationResponse = {
  model: 'm',
  candidates: [{ index: 0, parts, finishReason: { kind: 'tool-calls', raw: 'tool_use' } }],
  usage: { inputTokens: 10, cacheReadTokens: 2, outputTokens: 3 },
};
const candidate = response.candidates[0] as Candidate;
const what = (differences: readonly { readonly what: string }[]): string =>
  differences.map((one) => one.what).join('; ');

describe('what a translation has to keep', () => {
  it('finds nothing in a conversation that is only grouped otherwise', () => {
    const regrouped: ConversationRequest = {
      ...request,
      messages: [
        ...messages.slice(1, 3).map((message) => ({ ...message, parts: message.parts.flatMap(splitText) })),
        { role: 'user', parts: (messages[3] as Message).parts },
        { role: 'developer', parts: (messages[0] as Message).parts },
      ],
    };
    expect(what(compareRequests(request, regrouped, 'openai-chat'))).toBe('');
    expect(what(compareResponses(response, response))).toBe('');
  });

  it.each(Object.keys(request).filter((key) => key !== 'messages'))('notices that %s is gone', (key) => {
    const { [key as keyof ConversationRequest]: _, ...rest } = request;
    expect(what(compareRequests(request, rest as ConversationRequest, 'openai-chat'))).not.toBe('');
  });

  it.each(messages.flatMap((message, at) => message.parts.map((_, index) => [at, index] as const)))(
    'notices that part %i.%i of a message is gone',
    (at, index) => {
      const cut = messages.map((message, position) => ({
        ...message,
        parts: message.parts.filter((_, place) => position !== at || place !== index),
      }));
      expect(what(compareRequests(request, { ...request, messages: cut }, 'openai-chat'))).not.toBe('');
    },
  );

  it.each<readonly [string, Part]>([
    ['a signature', { type: 'reasoning', text: 'hm', origin: 'anthropic-messages' }],
    ['the maker of a signature', { type: 'reasoning', text: 'hm', signature: 'sig', origin: 'openai-responses' }],
    ['a citation', { type: 'text', text: 'Hello' }],
    ['one letter', { type: 'text', text: 'Hallo', citations: [{ url: 'https://a.example', title: 'A' }] }],
    ['a tool call id', { type: 'tool-call', id: 'call_2', name: 'f', arguments: '{"x":1}' }],
    ['a tool argument', { type: 'tool-call', id: 'call_1', name: 'f', arguments: '{"x":2}' }],
  ])('notices a change of %s', (_, changed) => {
    const after = { ...candidate, parts: parts.map((part) => (part.type === changed.type ? changed : part)) };
    expect(what(compareResponses(response, { ...response, candidates: [after] }))).not.toBe('');
  });

  it('compares tool arguments by value and every bucket of the usage', () => {
    const same = parts.map((part) => (part.type === 'tool-call' ? { ...part, arguments: '{ "x":1 }' } : part));
    expect(what(compareResponses(response, { ...response, candidates: [{ ...candidate, parts: same }] }))).toBe('');
    const merged = { ...response, usage: { inputTokens: 12, outputTokens: 3 } };
    expect(what(compareResponses(response, merged))).toContain('cacheReadTokens');
    const stopped = { ...response, candidates: [{ ...candidate, finishReason: { kind: 'stop' } as const }] };
    expect(what(compareResponses(response, stopped))).toContain('finish reason');
  });

  it('takes a report that names the thing, and no other', () => {
    const { seed: _, ...rest } = request;
    const [difference] = compareRequests(request, rest, 'openai-chat');
    if (difference === undefined) throw new Error('the seed was not missed');
    expect(isCovered(difference, [])).toBe(false);
    expect(isCovered(difference, [{ action: 'dropped', field: 'temperature' }])).toBe(false);
    expect(isCovered(difference, [{ action: 'dropped', field: 'seed' }])).toBe(true);
  });

  it('takes a report of a whole part by its path', () => {
    const cut = messages.map((message) => ({
      ...message,
      parts: message.parts.filter(({ type }) => type !== 'reasoning'),
    }));
    const [difference] = compareRequests(request, { ...request, messages: cut }, 'openai-chat');
    if (difference === undefined) throw new Error('the reasoning was not missed');
    expect(isCovered(difference, [{ action: 'dropped', field: 'messages[2].content[1]' }])).toBe(false);
    expect(isCovered(difference, [{ action: 'dropped', field: 'messages[7].content[0].signature' }])).toBe(false);
    expect(isCovered(difference, [{ action: 'dropped', field: 'messages[2].content[0].signature' }])).toBe(true);
    expect(isCovered(difference, [{ action: 'dropped', field: 'messages[2].content[0]' }])).toBe(true);
    expect(isCovered(difference, [{ action: 'dropped', field: 'messages[2]' }])).toBe(true);
  });

  it('wants every unknown field named', () => {
    const residue = { dialect: 'openai-chat', fields: { logit_bias: { 1: 2 } }, form: { odd: true } } as const;
    const [difference, ...others] = residueDifferences({ ...request, residue });
    expect(others).toEqual([]);
    if (difference === undefined) throw new Error('logit_bias was not missed');
    expect(isCovered(difference, [{ action: 'dropped', field: 'logit_bias' }])).toBe(true);
    expect(isCovered(difference, [{ action: 'dropped', field: 'logit_bias_2' }])).toBe(false);
  });
});

function splitText(part: Part): readonly Part[] {
  if (part.type !== 'text' || part.citations !== undefined || part.text.length < 2) return [part];
  return [
    { ...part, text: part.text.slice(0, 1) },
    { ...part, text: part.text.slice(1) },
  ];
}
