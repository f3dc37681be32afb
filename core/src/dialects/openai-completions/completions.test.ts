import type { ConversationRequest, Json, JsonObject, StreamFrame } from '@bifrost/sdk';
import { recordingsOfApi } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { parseSse } from '../../sse/parser.ts';
import type { Loss } from '../codec.ts';
import { openaiChatCodec } from '../openai-chat/codec.ts';
import { openaiCompletionsCodec as codec } from './codec.ts';

const strict = { report: { add: (loss: Loss) => expect.fail(`lost ${JSON.stringify(loss)}`) } };
const recordings = recordingsOfApi('openai.completions');
const parse = (event: { readonly data: string }): Json =>
  event.data === '[DONE]' ? event.data : (JSON.parse(event.data) as Json);

const collect = (): { readonly losses: Loss[]; readonly options: { readonly report: { add(loss: Loss): void } } } => {
  const losses: Loss[] = [];
  return { losses, options: { report: { add: (loss) => void losses.push(loss) } } };
};

describe('legacy completions over every recording', () => {
  it('gives each request back as it came', () => {
    expect(recordings.length).toBe(19);
    for (const { id, request } of recordings) {
      const body = request?.body as JsonObject;
      expect(codec.encodeRequest(codec.decodeRequest(body, {}), strict), id).toEqual(body);
    }
  });

  it('gives each answer back as it came', () => {
    const answers = recordings.filter((one) => one.response.status < 300 && one.response.body_encoding === 'json');
    expect(answers.length).toBe(9);
    for (const { id, response } of answers) {
      expect(codec.encodeResponse(codec.decodeResponse(response.body as JsonObject), strict), id).toEqual(
        response.body,
      );
    }
  });

  it('gives each stream back event by event, and its texts add up', () => {
    const streams = recordings.filter((one) => one.response.stream_format === 'sse');
    expect(streams.length).toBe(6);
    for (const { id, response } of streams) {
      const events = parseSse(response.body as string);
      const decoder = codec.createStreamDecoder();
      const frames = events.flatMap((event) => decoder.push(event));
      expect(decoder.finish()).toEqual([]);
      const encoder = codec.createStreamEncoder(strict);
      expect(frames.flatMap((frame) => encoder.push(frame)).map(parse), id).toEqual(events.map(parse));
      const texts = new Map<number, string>();
      for (const event of frames.flatMap((frame) => frame.events)) {
        if (event.type !== 'text-delta') continue;
        const index = event.candidate ?? 0;
        texts.set(index, (texts.get(index) ?? '') + event.text);
      }
      const raw = new Map<number, string>();
      for (const chunk of events.map(parse)) {
        if (typeof chunk === 'string') continue;
        for (const choice of (chunk as { choices: { index: number; text: string }[] }).choices) {
          if (choice.text !== '') raw.set(choice.index, (raw.get(choice.index) ?? '') + choice.text);
        }
      }
      expect(texts).toEqual(raw);
    }
  });

  it('writes a changed prompt and a changed temperature', () => {
    for (const { request } of recordings) {
      const decoded = codec.decodeRequest(request?.body as JsonObject, {});
      const messages = decoded.messages.map((message) => ({
        ...message,
        parts: message.parts.map((part) => (part.type === 'text' ? { ...part, text: `${part.text}#` } : part)),
      }));
      const again = codec.decodeRequest(codec.encodeRequest({ ...decoded, messages, temperature: 0.5 }, strict), {});
      expect(again.messages).toEqual(messages);
      expect(again.temperature).toBe(0.5);
    }
  });
});

describe('legacy completions across dialects', () => {
  it('sends a chat of several turns as one prompt and says so', () => {
    const request = openaiChatCodec.decodeRequest(
      {
        model: 'm',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hi' },
        ],
        response_format: { type: 'json_object' },
        max_tokens: 5,
      },
      {},
    );
    const { losses, options } = collect();
    expect(codec.encodeRequest(request, options)).toEqual({
      model: 'm',
      prompt: 'system: Be brief.\n\nuser: Hi\n\nassistant:',
      max_tokens: 5,
    });
    expect(losses.map((loss) => loss.field)).toEqual(['messages', 'response_format']);
  });

  it('writes a foreign stream as text_completion chunks, one finish, usage only where it was asked for', () => {
    const frames: readonly StreamFrame[] = [
      { events: [{ type: 'response-start', id: 'x', model: 'm', createdAt: 7 }] },
      {
        events: [
          { type: 'text-start', part: 'a' },
          { type: 'text-delta', part: 'a', text: 'Hello' },
        ],
      },
      { events: [{ type: 'tool-call-start', part: 'b', id: 'i', name: 'f' }] },
      { events: [{ type: 'usage', usage: { inputTokens: 1, outputTokens: 2 } }] },
      {
        events: [
          { type: 'text-end', part: 'a' },
          { type: 'finish', reason: { kind: 'length' } },
        ],
      },
    ];
    const request = {
      model: 'm',
      messages: [],
      stream: true,
      isStreamUsageRequested: false,
    } satisfies ConversationRequest;
    const { losses, options } = collect();
    const encoder = codec.createStreamEncoder({ ...options, request });
    const chunks = [...frames.flatMap((frame) => encoder.push(frame)), ...encoder.finish()].map(parse);
    const frame = { id: 'x', object: 'text_completion', created: 7, model: 'm' };
    expect(chunks).toEqual([
      { ...frame, choices: [{ text: 'Hello', index: 0, logprobs: null, finish_reason: null }] },
      { ...frame, choices: [{ text: '', index: 0, logprobs: null, finish_reason: 'length' }] },
      '[DONE]',
    ]);
    expect(losses.map((loss) => loss.field)).toEqual(['choices.tool-call']);
  });

  it('has other dialects report that several prompts want an answer each', () => {
    const { losses, options } = collect();
    openaiChatCodec.encodeRequest(codec.decodeRequest({ model: 'm', prompt: ['a', 'b'] }, {}), options);
    expect(losses.map((loss) => loss.field)).toEqual(['prompt']);
  });

  it('ends in an error where the stream broke off', () => {
    const decoder = codec.createStreamDecoder();
    decoder.push({ data: '{"id":"x","choices":[{"index":0,"text":"He"}]}' });
    expect(decoder.finish().flatMap((one) => one.events.map((event) => event.type))).toEqual(['text-end', 'error']);
  });

  it.each([
    [{ model: 'm' }, 'prompt'],
    [{ model: 'm', prompt: [] }, 'prompt'],
    [{ model: 'm', prompt: [true] }, 'prompt[0]'],
    [{ model: 'm', prompt: 'a', max_tokens: '5' }, 'max_tokens'],
  ])('names the field at fault: %#', (body, param) => {
    expect(() => codec.decodeRequest(body as JsonObject, {})).toThrow(
      expect.objectContaining({ code: 'BF_REQUEST_INVALID', message: expect.stringContaining(`'${param}'`) as string }),
    );
  });
});
