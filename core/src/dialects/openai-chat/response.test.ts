import type { ConversationResponse, JsonObject, Part } from '@bifrost/sdk';
import { totalInputTokens, totalOutputTokens } from '@bifrost/sdk';
import { recordingById, recordingsOfApi } from '@bifrost/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Loss } from '../codec.ts';
import { tagOpaque } from '../provenance.ts';
import { openaiChatCodec as codec } from './codec.ts';
import { applyUsageRemainder, decodeUsage, encodeUsage, usageRemainder } from './usage.ts';

const answers = recordingsOfApi('openai.chat_completions').filter(
  (one) => one.response.status < 300 && one.response.body_encoding === 'json',
);
const encode = (response: ConversationResponse): { readonly body: JsonObject; readonly lost: readonly string[] } => {
  const losses: Loss[] = [];
  const body = codec.encodeResponse(response, { report: { add: (loss) => void losses.push(loss) } });
  return { body, lost: losses.map((loss) => `${loss.action} ${loss.field}`) };
};
const message = (body: JsonObject): JsonObject =>
  ((body['choices'] as JsonObject[])[0] as JsonObject)['message'] as JsonObject;
const answer = (fields: JsonObject, choice: JsonObject = {}): JsonObject => ({
  id: 'x',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi', ...fields }, finish_reason: 'stop', ...choice }],
});
const partsOf = (fields: JsonObject, choice: JsonObject = {}): readonly Part[] | undefined =>
  codec.decodeResponse(answer(fields, choice)).candidates[0]?.parts;
const foreign = (parts: readonly Part[], more: Partial<ConversationResponse> = {}): ConversationResponse => ({
  id: 'x',
  model: 'm',
  createdAt: 1,
  candidates: [{ index: 0, parts, finishReason: { kind: 'stop', raw: 'end_turn' } }],
  ...more,
});

describe('answers', () => {
  it('write a changed text, argument and finish reason of every recording', () => {
    for (const { id, response } of answers) {
      const decoded = codec.decodeResponse(response.body as JsonObject);
      const candidates = decoded.candidates.map((candidate) => ({
        ...candidate,
        finishReason: { kind: 'length' as const },
        parts: candidate.parts.map((part) =>
          part.type === 'text'
            ? { ...part, text: `${part.text}#` }
            : part.type === 'tool-call'
              ? { ...part, arguments: '{"changed":1}' }
              : part,
        ),
      }));
      const again = codec.decodeResponse(encode({ ...decoded, candidates }).body);
      for (const [at, candidate] of again.candidates.entries()) {
        expect(candidate.finishReason?.kind, id).toBe('length');
        const values = (parts: readonly Part[]): readonly unknown[] =>
          parts.map((part) =>
            part.type === 'text' ? part.text : part.type === 'tool-call' ? part.arguments : part.type,
          );
        expect(values(candidate.parts), id).toEqual(values(candidates[at]?.parts ?? []));
      }
    }
  });

  it.each([
    [
      'logprobs',
      answer(
        {},
        {
          logprobs: {
            content: [
              {
                token: 'Hi',
                logprob: -0.5,
                bytes: [72, 105],
                top_logprobs: [{ token: 'Hi', logprob: -0.5, bytes: null }],
              },
            ],
            refusal: null,
          },
        },
      ),
    ],
    [
      'citations beside the answer',
      { ...answer({}), citations: ['https://a', 'https://b'], search_results: [{ url: 'https://a' }] },
    ],
    [
      'generated images',
      answer({ images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' }, index: 0 }] }),
    ],
    [
      'a custom call and a call of a server tool',
      answer({
        content: null,
        tool_calls: [
          { id: 'a', type: 'custom', custom: { name: 's', input: 'ls' } },
          { id: 'b', type: 'web_search', web_search: { q: 'x' } },
        ],
      }),
    ],
    [
      'arguments as an object',
      answer({
        content: '',
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: { k: 1 } } }],
      }),
    ],
    [
      'a stop sequence and a stop token',
      {
        ...answer({}, { stop_reason: 'END' }),
        choices: [
          ...(answer({}, { stop_reason: 'END' })['choices'] as JsonObject[]),
          { index: 1, message: { role: 'assistant', content: 'b' }, finish_reason: 'stop', stop_reason: 128009 },
        ],
      },
    ],
    ['no content at all', { choices: [{ message: { role: 'assistant' } }] }],
    [
      'annotations of another kind',
      answer({ annotations: [{ type: 'file_citation', file_citation: { file_id: 'f' } }] }),
    ],
  ])('come back as they were: %s', (_, body) => {
    expect(encode(codec.decodeResponse(body as JsonObject))).toEqual({ body, lost: [] });
  });

  it('tell their thinking, refusals, audio, citations and candidates', () => {
    expect(partsOf({ reasoning_content: 'Hm' })?.[0]).toMatchObject({
      type: 'reasoning',
      text: 'Hm',
      origin: 'openai-chat',
    });
    expect(
      partsOf({
        content: [
          {
            type: 'thinking',
            thinking: [
              { type: 'text', text: 'a' },
              { type: 'text', text: 'b' },
            ],
          },
          { type: 'text', text: 'Hi' },
        ],
      }),
    ).toMatchObject([
      { type: 'reasoning', text: 'ab' },
      { type: 'text', text: 'Hi' },
    ]);
    expect(partsOf({ content: null, refusal: 'No.' })).toEqual([{ type: 'refusal', text: 'No.' }]);
    expect(
      partsOf({ content: null, audio: { id: 'a', data: 'AAAA', transcript: 'Hello', expires_at: 1 } }),
    ).toMatchObject([
      { type: 'text', text: 'Hello' },
      { type: 'media', kind: 'audio', source: { data: 'AAAA' } },
    ]);
    const cited = partsOf({
      annotations: [{ type: 'url_citation', url_citation: { url: 'u', title: 't', start_index: 0, end_index: 2 } }],
    });
    expect(cited).toMatchObject([{ citations: [{ url: 'u', title: 't', startIndex: 0, endIndex: 2 }] }]);
    const several = answers.find((one) => one.features.includes('multiple_choices'));
    expect(codec.decodeResponse(several?.response.body as JsonObject).candidates.length).toBeGreaterThan(1);
    const encrypted = answers.find((one) => JSON.stringify(one.response.body).includes('reasoning.encrypted'));
    const reasoning = codec
      .decodeResponse(encrypted?.response.body as JsonObject)
      .candidates[0]?.parts.filter((part) => part.type === 'reasoning');
    expect(reasoning?.some((part) => (part.encrypted?.length ?? 0) > 20 && part.origin === 'openai-chat')).toBe(true);
  });

  it('of a 200 that holds an error throw that error', () => {
    expect(() => codec.decodeResponse({ error: { message: 'rate limited', code: 429 } })).toThrow(
      expect.objectContaining({ statusCode: 429, message: 'rate limited', isRetryable: true }),
    );
    expect(() => codec.decodeResponse({ nothing: true })).toThrow(
      expect.objectContaining({ statusCode: 502, code: 'BF_DIALECT_RESPONSE_INVALID' }),
    );
  });
});

describe('answers of other dialects', () => {
  it('carry signatures in details and ids, and join texts with their citations in place', () => {
    const { body, lost } = encode(
      foreign([
        { type: 'reasoning', text: 'Hm', signature: 'SIG', origin: 'anthropic-messages' },
        { type: 'reasoning', text: '', encrypted: 'ENC', origin: 'anthropic-messages' },
        { type: 'text', text: 'One. ' },
        { type: 'text', text: 'Two.', citations: [{ url: 'u', startIndex: 0, endIndex: 4 }] },
        { type: 'tool-call', id: 'a', name: 'f', arguments: '{}', signature: 'TS' },
      ]),
    );
    expect(message(body)).toEqual({
      role: 'assistant',
      content: 'One. Two.',
      annotations: [{ type: 'url_citation', url_citation: { url: 'u', start_index: 5, end_index: 9 } }],
      reasoning: 'Hm',
      reasoning_details: [
        {
          type: 'reasoning.text',
          text: 'Hm',
          signature: tagOpaque({ dialect: 'anthropic-messages', kind: 'signature', value: 'SIG' }),
          index: 0,
        },
        {
          type: 'reasoning.encrypted',
          data: tagOpaque({ dialect: 'anthropic-messages', kind: 'encrypted', value: 'ENC' }),
          index: 1,
        },
      ],
      tool_calls: [{ id: 'a__bfsig_VFM', type: 'function', function: { name: 'f', arguments: '{}' } }],
    });
    expect(lost).toEqual([]);
    const again = codec.decodeRequest({ model: 'm', messages: [message(body)] }, {}).messages[0]?.parts;
    expect(again).toMatchObject([
      { signature: 'SIG', origin: 'anthropic-messages' },
      { encrypted: 'ENC' },
      { text: 'One. Two.' },
      { id: 'a', signature: 'TS' },
    ]);
  });

  it('have null content beside calls, and say what is left out', () => {
    const { body, lost } = encode(
      foreign([
        { type: 'tool-call', id: 'a', name: 'f', arguments: '{}' },
        { type: 'server-tool', dialect: 'anthropic-messages', name: 'web_search', value: {} },
      ]),
    );
    expect(message(body)['content']).toBeNull();
    expect(lost).toEqual(['dropped choices[0].message.tool_calls[1]']);
  });
});

describe('usage', () => {
  it('is disjoint: its sums are the totals of the wire, over every recording', () => {
    for (const { id, response } of answers) {
      const raw = (
        response.body as { usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number } }
      ).usage;
      const usage = decodeUsage(raw);
      // Cached tokens of Grok on Azure and audio of Voxtral stand beside prompt_tokens: they are more than all of it.
      const beside = [usage.cacheReadTokens ?? 0, usage.inputAudioTokens ?? 0].filter(
        (part) => part > raw.prompt_tokens,
      );
      expect(totalInputTokens(usage), id).toBe(beside.reduce((sum, part) => sum + part, raw.prompt_tokens));
      const output = totalOutputTokens(usage) ?? 0;
      if (output > raw.completion_tokens) expect(output, id).toBe(raw.total_tokens - raw.prompt_tokens);
      else expect(output, id).toBe(raw.completion_tokens);
    }
  });

  it('counts reasoning once where the server keeps it beside completion_tokens', () => {
    const raw = {
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 115,
      completion_tokens_details: { reasoning_tokens: 100 },
    };
    expect(decodeUsage(raw)).toEqual({ inputTokens: 10, outputTokens: 5, reasoningTokens: 100, totalTokens: 115 });
  });

  it('leaves unknown what is not reported, and counts an overlap once', () => {
    expect(decodeUsage({})).toEqual({});
    const overlap = { prompt_tokens: 3, prompt_tokens_details: { cached_tokens: 2, image_tokens: 2 } };
    expect(decodeUsage(overlap)).toEqual({ inputTokens: 0, cacheReadTokens: 2, inputImageTokens: 1 });
  });

  it('gives any object back over its buckets', () => {
    const count = fc.option(fc.nat(1000), { nil: undefined });
    const details = fc.option(
      fc.record({ cached_tokens: count, audio_tokens: count, odd: count }, { requiredKeys: [] }),
      { nil: null },
    );
    const usage = fc.record(
      {
        prompt_tokens: count,
        completion_tokens: count,
        total_tokens: count,
        prompt_tokens_details: details,
        cost: fc.double({ noNaN: true }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(usage, (given) => {
        const raw = JSON.parse(JSON.stringify(given)) as JsonObject;
        const buckets = decodeUsage(raw);
        expect(applyUsageRemainder(encodeUsage(buckets), usageRemainder(raw, buckets))).toEqual(raw);
      }),
    );
  });
});

describe('errors', () => {
  const failed = recordingsOfApi(
    'openai.chat_completions',
    'openai.completions',
    'openai.embeddings',
    'openai.responses',
  ).filter((one) => one.response.status >= 400);

  it('of every provider are read: status, message, code', () => {
    expect(failed.length).toBeGreaterThan(25);
    for (const { id, response } of failed) {
      const { error } = response.body as {
        readonly error: { readonly message: string; readonly code?: string | number | null };
      };
      const info = codec.decodeError(response.status, response.body);
      expect(info, id).toMatchObject({ statusCode: response.status, origin: 'provider', upstreamBody: response.body });
      expect(info.message, id).toContain(error.message);
      if (error.code !== null && error.code !== undefined) expect(info.code, id).toBe(String(error.code));
    }
  });

  it.each([
    [
      'Mistral',
      401,
      { object: 'error', message: 'Unauthorized', type: 'invalid_request', param: null, code: '1000' },
      { message: 'Unauthorized', code: '1000', type: 'invalid_request' },
    ],
    [
      'FastAPI',
      422,
      { detail: [{ loc: ['body', 'messages'], msg: 'field required', type: 'missing' }] },
      { message: 'body.messages: field required' },
    ],
    ['Ollama', 404, { error: "model 'x' not found" }, { message: "model 'x' not found" }],
    [
      'Azure',
      429,
      { error: { code: 'RateLimitReached', message: 'slow down', details: 'x' } },
      { message: 'slow down', code: 'RateLimitReached' },
    ],
    [
      'OpenRouter',
      502,
      { error: { code: 502, message: 'Provider returned error', metadata: { raw: 'upstream died' } } },
      { message: 'Provider returned error: upstream died', code: '502' },
    ],
    [
      "Gemini's compatible endpoint",
      400,
      [{ error: { code: 400, message: 'bad', status: 'INVALID_ARGUMENT' } }],
      { message: 'bad' },
    ],
    ['a gateway in between', 503, '<html>busy</html>', { message: 'the provider answered 503' }],
    ['text', 500, 'upstream timed out', { message: 'the provider answered 500: upstream timed out' }],
    ['nothing', 500, undefined, { message: 'the provider answered 500' }],
  ])('of %s are read', (_, status, body, expected) => {
    expect(codec.decodeError(status, body)).toMatchObject({ statusCode: status, origin: 'provider', ...expected });
  });

  it('are written in the shape that the SDKs expect', () => {
    expect(codec.encodeError({ statusCode: 429, message: 'slow down', origin: 'provider' })).toEqual({
      error: { message: 'slow down', type: 'rate_limit_error', param: null, code: null },
    });
    expect(
      codec.encodeError({
        statusCode: 400,
        message: 'no',
        code: 'BF_REQUEST_INVALID',
        type: 'invalid_request_error',
        param: 'messages',
        origin: 'caller',
      }),
    ).toEqual({
      error: { message: 'no', type: 'invalid_request_error', param: 'messages', code: 'BF_REQUEST_INVALID' },
    });
    expect(
      recordingById('together/errors/mirascope--openai-compatibility-makes-successful-api-call-0-679f04').response
        .status,
    ).toBe(401);
  });
});
