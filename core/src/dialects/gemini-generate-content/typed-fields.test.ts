/** The round trip comes from the typed fields: whatever is changed there shows in the encoding, in every recording. */
import { isJsonObject } from '@bifrost/sdk';
import type { ConversationRequest, ConversationResponse, Json, JsonObject, Part, StreamFrame } from '@bifrost/sdk';
import { recordedBytes, recordingsOfApi } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { parseSse } from '../../sse/parser.ts';
import { geminiGenerateContentCodec as codec } from './codec.ts';

const recordings = recordingsOfApi('google.generate_content', 'google.stream_generate_content');
const report = { add: (): void => undefined };
const hint = { model: 'gemini-2.5-flash', stream: false };
const mark = ' (changed)';

/** Marks every text, call argument and tool result. */
const markPart = (part: Part): Part => {
  switch (part.type) {
    case 'text':
    case 'reasoning':
      return { ...part, text: part.text + mark };
    case 'tool-call':
      return { ...part, arguments: JSON.stringify({ ...(JSON.parse(part.arguments) as object), changed: mark }) };
    case 'tool-result':
      return { ...part, content: [{ type: 'text', text: mark }] };
    default:
      return part;
  }
};

/** The same change, made on the wire. */
const markWirePart = (part: JsonObject): JsonObject => {
  const marked = { ...part };
  if (typeof part['text'] === 'string') marked['text'] = part['text'] + mark;
  // A thought that is only a signature has the empty text.
  else if (part['thought'] === true) marked['text'] = mark;
  for (const key of ['functionCall', 'function_call']) {
    const call = part[key];
    if (isJsonObject(call)) marked[key] = { ...call, args: { ...(call['args'] as JsonObject), changed: mark } };
  }
  for (const key of ['functionResponse', 'function_response']) {
    const said = part[key];
    if (isJsonObject(said)) {
      const { parts: _, ...rest } = said;
      const response = said['response'];
      const isError = isJsonObject(response) && Object.keys(response).join() === 'error';
      marked[key] = { ...rest, response: isError ? { error: mark } : { output: mark } };
    }
  }
  return marked;
};

const markWireContent = (content: Json | undefined): Json | undefined =>
  isJsonObject(content) && Array.isArray(content['parts'])
    ? { ...content, parts: (content['parts'] as readonly JsonObject[]).map(markWirePart) }
    : content;

const defined = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('a change of typed fields', () => {
  it('shows in every recorded request, and nothing else changes', () => {
    let count = 0;
    for (const { request: recorded } of recordings) {
      if (recorded === null || !isJsonObject(recorded.body)) continue;
      const body = recorded.body;
      const request = codec.decodeRequest(body, hint);
      const changed: ConversationRequest = {
        ...request,
        temperature: 0.123,
        messages: request.messages.map((message) => ({ ...message, parts: message.parts.map(markPart) })),
      };
      const expected = {
        ...body,
        systemInstruction: markWireContent(body['systemInstruction']),
        contents: (body['contents'] as readonly Json[]).map(markWireContent),
        generationConfig: { ...(body['generationConfig'] as JsonObject | undefined), temperature: 0.123 },
      };
      expect(codec.encodeRequest(changed, { report })).toEqual(defined(expected));
      count += 1;
    }
    expect(count).toBe(236);
  });

  it('shows in every recorded answer, and nothing else changes', () => {
    let count = 0;
    for (const { response: recorded } of recordings) {
      if (recorded.status >= 300 || !isJsonObject(recorded.body)) continue;
      const body = recorded.body;
      const response = codec.decodeResponse(body);
      const changed: ConversationResponse = {
        ...response,
        model: 'another-model',
        // Without citations, whose places in the text the change would move.
        candidates: response.candidates.map((candidate) => ({ ...candidate, parts: candidate.parts.map(markPart) })),
      };
      const candidates = (body['candidates'] as readonly JsonObject[]).map((candidate) => ({
        ...candidate,
        content: markWireContent(candidate['content']),
      }));
      const written = codec.encodeResponse(changed, { report });
      const isGrounded = JSON.stringify(body).includes('groundingSupports');
      const bare = (one: JsonObject): unknown => (isGrounded ? { ...one, groundingMetadata: undefined } : one);
      const actual = (written['candidates'] as readonly JsonObject[]).map(bare);
      expect(actual).toEqual(defined(candidates.map(bare)));
      expect({ ...written, candidates: 0 }).toEqual({ ...body, candidates: 0, modelVersion: 'another-model' });
      count += 1;
    }
    expect(count).toBe(169);
  });

  it('shows in every recorded stream, although the frames keep their residue', () => {
    let count = 0;
    for (const { response: recorded } of recordings) {
      if (recorded.stream_format !== 'sse') continue;
      const events = parseSse(recordedBytes(recorded));
      const decoder = codec.createStreamDecoder();
      const encoder = codec.createStreamEncoder({ report });
      for (const event of events) {
        const chunk = JSON.parse(event.data) as JsonObject;
        const frames = decoder.push(event).map((frame): StreamFrame => ({
          ...frame,
          events: frame.events.map((one) => (one.type === 'text-delta' ? { ...one, text: one.text + mark } : one)),
        }));
        const [written] = frames.flatMap((frame) => encoder.push(frame));
        const texts = (object: JsonObject): readonly Json[] =>
          ((object['candidates'] ?? []) as readonly JsonObject[]).flatMap((candidate) => {
            const { parts = [] } = (candidate['content'] ?? {}) as { readonly parts?: readonly JsonObject[] };
            return parts.flatMap((part) => (part['thought'] === true ? [] : [part['text'] ?? '']));
          });
        const before = texts(chunk).map((text) => (text === '' ? '' : `${text as string}${mark}`));
        expect(texts(JSON.parse(written?.data ?? '') as JsonObject)).toEqual(before);
      }
      count += 1;
    }
    expect(count).toBe(62);
  });
});

describe('a tool declaration that is changed', () => {
  const body: JsonObject = {
    contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
    tools: [
      { functionDeclarations: [{ name: 'a', parameters: { type: 'OBJECT', properties: { x: { type: 'STRING' } } } }] },
      { google_search: {} },
    ],
    generation_config: { top_p: 0.5, response_schema: { type: 'ARRAY' }, response_mime_type: 'application/json' },
  };

  it("keeps Google's schema dialect and the spelling as long as the schema is the same", () => {
    const request = codec.decodeRequest(body, hint);
    expect(request.tools?.[0]).toMatchObject({ parameters: { type: 'object', properties: { x: { type: 'string' } } } });
    expect(request.responseFormat).toMatchObject({ type: 'json-schema', schema: { type: 'array' } });
    expect(codec.encodeRequest({ ...request, topP: 0.9 }, { report })).toEqual({
      ...body,
      generation_config: { ...(body['generation_config'] as JsonObject), top_p: 0.9 },
    });
  });

  it('is sent as JSON schema in the place of the old one, never beside it', () => {
    const request = codec.decodeRequest(body, hint);
    const schema = { type: 'object', properties: { y: { type: 'number' } } };
    const changed: ConversationRequest = {
      ...request,
      tools: (request.tools ?? []).map((tool) => (tool.type === 'function' ? { ...tool, parameters: schema } : tool)),
      responseFormat: { type: 'json-schema', schema },
    };
    const written = codec.encodeRequest(changed, { report });
    expect(written['tools']).toEqual([
      { functionDeclarations: [{ name: 'a', parametersJsonSchema: schema }] },
      { google_search: {} },
    ]);
    expect(written['generation_config']).toEqual({
      top_p: 0.5,
      responseJsonSchema: schema,
      response_mime_type: 'application/json',
    });
  });
});
