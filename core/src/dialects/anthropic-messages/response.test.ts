import { describe, expect, it } from 'vitest';
import type { ConversationResponse, FinishReasonKind, JsonObject, Part } from '@bifrost/sdk';
import { GatewayError } from '@bifrost/sdk';
import { recordingsOfApi } from '@bifrost/testkit';
import type { Loss } from '../codec.ts';
import { untagOpaque, unpackToolCallId } from '../provenance.ts';
import { anthropicMessagesCodec as codec } from './codec.ts';

const answers = recordingsOfApi('anthropic.messages').filter((one) => one.response.body_encoding === 'json');

function encode(response: ConversationResponse) {
  const losses: Loss[] = [];
  const body = codec.encodeResponse(response, {
    report: { add: (loss) => losses.push(loss) },
    fallbackId: 'msg_fallback',
  });
  return {
    body: JSON.parse(JSON.stringify(body)) as JsonObject,
    fields: losses.map((one) => `${one.action} ${one.field}`),
  };
}

function answer(parts: readonly Part[], kind: FinishReasonKind = 'stop'): ConversationResponse {
  return { candidates: [{ index: 0, parts, finishReason: { kind, raw: kind } }] };
}

describe('answers', () => {
  it('of Anthropic show a change of canonical members', () => {
    for (const { response } of answers) {
      if (response.status >= 300) continue;
      const decoded = codec.decodeResponse(response.body as JsonObject);
      const [candidate] = decoded.candidates;
      const parts = (candidate?.parts ?? []).map((part): Part =>
        part.type === 'text' ? { ...part, text: 'changed' } : part,
      );
      const changed = {
        ...decoded,
        id: 'other',
        usage: { inputTokens: 1, outputTokens: 2 },
        candidates: [{ index: 0, parts, finishReason: { kind: 'length' } as const }],
      };
      const { body } = encode(changed);
      expect(body).toMatchObject({
        id: 'other',
        stop_reason: 'max_tokens',
        usage: { input_tokens: 1, output_tokens: 2 },
      });
      const texts = (body['content'] as readonly JsonObject[]).filter((block) => block['type'] === 'text');
      expect(texts.every((block) => block['text'] === 'changed')).toBe(true);
    }
  });

  it('count every token in one bucket', () => {
    const usage = {
      input_tokens: 10,
      cache_read_input_tokens: 20,
      cache_creation_input_tokens: 70,
      cache_creation: { ephemeral_5m_input_tokens: 30, ephemeral_1h_input_tokens: 40 },
      output_tokens: 100,
      output_tokens_details: { thinking_tokens: 60 },
      server_tool_use: { web_search_requests: 1 },
    };
    const body = {
      id: 'm',
      type: 'message',
      role: 'assistant',
      model: 'c',
      content: [],
      stop_reason: 'end_turn',
      usage,
    };
    const decoded = codec.decodeResponse(body);
    expect(decoded.usage).toEqual({
      inputTokens: 10,
      cacheReadTokens: 20,
      cacheWriteTokens: 30,
      cacheWrite1hTokens: 40,
      outputTokens: 40,
      reasoningTokens: 60,
    });
    expect(decoded.residue?.fields['usage']).toEqual({ server_tool_use: { web_search_requests: 1 } });
  });

  it('keep stop reasons, and map those of others', () => {
    const reasons: readonly (readonly [string, FinishReasonKind])[] = [
      ['end_turn', 'stop'],
      ['stop_sequence', 'stop'],
      ['max_tokens', 'length'],
      ['model_context_window_exceeded', 'length'],
      ['tool_use', 'tool-calls'],
      ['pause_turn', 'pause'],
      ['refusal', 'refusal'],
      ['something_new', 'other'],
    ];
    for (const [raw, kind] of reasons) {
      const body = {
        id: 'm',
        type: 'message',
        role: 'assistant',
        model: 'c',
        content: [],
        stop_reason: raw,
        stop_sequence: null,
      };
      const decoded = codec.decodeResponse(body);
      expect(decoded.candidates[0]?.finishReason).toEqual({ kind, raw });
      expect(encode(decoded).body['stop_reason']).toBe(raw);
    }
    const foreign: Readonly<Record<FinishReasonKind, string>> = {
      stop: 'end_turn',
      length: 'max_tokens',
      'tool-calls': 'end_turn',
      'content-filter': 'refusal',
      refusal: 'refusal',
      pause: 'pause_turn',
      error: 'end_turn',
      other: 'end_turn',
    };
    for (const [kind, word] of Object.entries(foreign)) {
      expect([kind, encode(answer([], kind as FinishReasonKind)).body['stop_reason']]).toEqual([kind, word]);
    }
    const call: Part = { type: 'tool-call', id: 'a', name: 'f', arguments: '{}' };
    expect(encode(answer([call], 'stop')).body['stop_reason']).toBe('tool_use');
    expect(encode(answer([call], 'length')).body['stop_reason']).toBe('max_tokens');
  });

  it('of other dialects become whole Anthropic messages', () => {
    const { body, fields } = encode({
      model: 'gemini-x',
      candidates: [
        {
          index: 0,
          parts: [
            { type: 'reasoning', text: 'hm', signature: 's', origin: 'gemini-generate-content' },
            { type: 'reasoning', text: 'unsigned' },
            { type: 'text', text: '' },
            { type: 'text', text: 'see', citations: [{ url: 'https://x', title: 'X', startIndex: 0, endIndex: 3 }] },
            { type: 'tool-call', id: 'call|1', name: 'f', arguments: 'not json', signature: 'thought' },
            { type: 'media', kind: 'image', source: { type: 'base64', data: 'AA' } },
          ],
          finishReason: { kind: 'stop', raw: 'STOP' },
        },
        { index: 1, parts: [] },
      ],
      usage: { inputTokens: 5, inputAudioTokens: 2, outputTokens: 3, reasoningTokens: 4 },
      residue: { dialect: 'gemini-generate-content', fields: { promptFeedback: {} } },
    });
    const content = body['content'] as readonly JsonObject[];
    expect(untagOpaque(content[0]?.['signature'] as string)).toEqual({
      dialect: 'gemini-generate-content',
      kind: 'signature',
      value: 's',
    });
    expect(unpackToolCallId(content[3]?.['id'] as string).signature).toBe('thought');
    expect(content.slice(1)).toMatchObject([
      { type: 'thinking', thinking: 'unsigned', signature: '' },
      {
        type: 'text',
        text: 'see',
        citations: [
          { type: 'web_search_result_location', url: 'https://x', title: 'X', cited_text: '', encrypted_index: '' },
        ],
      },
      { type: 'tool_use', name: 'f', input: { input: 'not json' } },
    ]);
    expect(body).toMatchObject({
      id: 'msg_fallback',
      type: 'message',
      role: 'assistant',
      model: 'gemini-x',
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage: { input_tokens: 7, output_tokens: 7, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
    });
    expect(fields).toEqual([
      'dropped promptFeedback',
      'changed candidates[0].finish_reason',
      'changed usage.input_audio_tokens',
      'dropped choices[1]',
      'changed content[4].arguments',
      'dropped content[5]',
    ]);
  });

  it('say a refusal as text and as stop reason', () => {
    const { body } = encode(answer([{ type: 'refusal', text: 'no' }]));
    expect(body).toMatchObject({ content: [{ type: 'text', text: 'no' }], stop_reason: 'refusal' });
  });
});

describe('errors', () => {
  it('with status 200 are errors all the same, and so is any body that is no message', () => {
    const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    const thrown = (body: JsonObject): unknown => {
      try {
        return codec.decodeResponse(body);
      } catch (error) {
        return GatewayError.isInstance(error) ? error.toInfo() : error;
      }
    };
    expect(thrown(overloaded)).toMatchObject({
      statusCode: 529,
      type: 'overloaded_error',
      message: 'Overloaded',
      origin: 'provider',
    });
    expect(thrown({ id: 'x', choices: [] })).toMatchObject({ statusCode: 502, code: 'BF_DIALECT_RESPONSE_INVALID' });
  });

  it('of the recordings are read and written back', () => {
    const errors = answers.filter((one) => one.response.status >= 400);
    expect(errors).toHaveLength(8);
    for (const { response } of errors) {
      const body = response.body as { readonly error: { readonly type: string; readonly message: string } };
      const info = codec.decodeError(response.status, body);
      expect(info).toMatchObject({
        statusCode: response.status,
        type: body.error.type,
        message: body.error.message,
        origin: 'provider',
      });
      expect(codec.encodeError(info)).toEqual(body);
    }
  });

  it('that cannot be read give a generic message', () => {
    for (const body of [undefined, null, 'text', [], {}, { error: 'x' }, { error: { message: 5 } }]) {
      expect(codec.decodeError(502, body)).toMatchObject({
        statusCode: 502,
        origin: 'provider',
        message: expect.stringContaining('502') as string,
      });
    }
  });

  it('are written with the type that belongs to the status', () => {
    const types: Readonly<Record<number, string>> = {
      400: 'invalid_request_error',
      401: 'authentication_error',
      403: 'permission_error',
      404: 'not_found_error',
      413: 'request_too_large',
      422: 'invalid_request_error',
      429: 'rate_limit_error',
      500: 'api_error',
      502: 'api_error',
      504: 'timeout_error',
      529: 'overloaded_error',
    };
    for (const [status, type] of Object.entries(types)) {
      const error = codec.encodeError({
        statusCode: Number(status),
        message: 'm',
        origin: 'gateway',
        upstreamBody: { error: { message: 'of OpenAI', type: 'x' } },
      });
      expect(error).toEqual({ type: 'error', error: { type, message: 'm' } });
    }
  });

  it('keep a message that a plugin changed', () => {
    const upstream = { type: 'error', error: { type: 'rate_limit_error', message: 'old' }, request_id: 'req_1' };
    const info = codec.decodeError(429, upstream);
    expect(codec.encodeError({ ...info, message: 'new' })).toEqual({
      type: 'error',
      error: { type: 'rate_limit_error', message: 'new' },
    });
  });
});
