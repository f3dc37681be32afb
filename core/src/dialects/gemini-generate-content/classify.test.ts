import type { JsonObject } from '@bifrost/sdk';
import { totalInputTokens, totalOutputTokens } from '@bifrost/sdk';
import { recordedBytes, recordingsOfApi } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { parseSse } from '../../sse/parser.ts';
import { geminiGenerateContentCodec as codec } from './codec.ts';

const streams = recordingsOfApi('google.stream_generate_content')
  .filter((one) => one.response.stream_format === 'sse')
  .map((one) => parseSse(recordedBytes(one.response)));

const classOf = (chunk: JsonObject): string => codec.classifyStreamEvent({ data: JSON.stringify(chunk) });
const withParts = (parts: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
  candidates: [{ content: { role: 'model', parts }, ...more }],
});

describe('classifyStreamEvent', () => {
  it('finds one end in every recorded stream, at its last chunk with a finishReason, and agrees with the decoder', () => {
    for (const events of streams) {
      const decoder = codec.createStreamDecoder();
      for (const event of events) {
        const decoded = decoder.push(event).flatMap((frame) => frame.events);
        const isEnd = decoded.some((one) => one.type === 'finish');
        const isContent = decoded.some((one) => /^(text|reasoning|tool-call|media|server-tool|opaque)/.test(one.type));
        expect(codec.classifyStreamEvent(event)).toBe(isEnd ? 'terminal' : isContent ? 'content' : 'lifecycle');
      }
      expect(events.map((event) => codec.classifyStreamEvent(event))).toContain('terminal');
    }
  });

  it('is not misled by words inside of texts and arguments', () => {
    expect(classOf(withParts([{ text: '"finishReason":"STOP" and "error"' }]))).toBe('content');
    const args = { finishReason: 'STOP', error: 'x', blockReason: 'y' };
    expect(classOf(withParts([{ functionCall: { name: 'f', args } }]))).toBe('content');
  });

  it('tells errors, refused prompts, fillers and unknown events apart', () => {
    expect(classOf({ error: { code: 503 } })).toBe('error');
    expect(classOf({ promptFeedback: { blockReason: 'SAFETY' } })).toBe('terminal');
    expect(classOf({ promptFeedback: { blockReason: 'BLOCKED_REASON_UNSPECIFIED' }, responseId: 'x' })).toBe(
      'lifecycle',
    );
    expect(classOf(withParts([{ text: '' }]))).toBe('lifecycle');
    expect(classOf(withParts([{ text: '', thoughtSignature: 'abc=' }]))).toBe('content');
    expect(classOf({ usageMetadata: { promptTokenCount: 3 } })).toBe('lifecycle');
    expect(classOf(withParts([], { finishReason: 'FINISH_REASON_UNSPECIFIED' }))).toBe('lifecycle');
    expect(classOf(withParts([{ text: 'a' }], { finishReason: 1 }))).toBe('terminal');
    expect(classOf(withParts([{ text: 'a' }], { finish_reason: 'STOP' }))).toBe('terminal');
    expect(classOf({ somethingNew: {} })).toBe('content');
    expect(codec.classifyStreamEvent({ data: 'no json' })).toBe('content');
  });
});

describe('usage', () => {
  it("is read from every chunk that has some, and its buckets add up to the provider's total", () => {
    let count = 0;
    for (const events of streams) {
      for (const event of events) {
        const usage = codec.readStreamUsage(event);
        const said = (JSON.parse(event.data) as JsonObject)['usageMetadata'] as JsonObject | undefined;
        expect(usage === undefined).toBe(said?.['totalTokenCount'] === undefined);
        if (usage === undefined) continue;
        const sum = (totalInputTokens(usage) ?? 0) + (totalOutputTokens(usage) ?? 0);
        // Chunks in the middle of some streams count thoughts in their total before they name them.
        if (said?.['candidatesTokenCount'] !== undefined) expect(sum).toBe(usage.totalTokens);
        count += 1;
      }
    }
    expect(count).toBeGreaterThan(100);
  });

  it('adds up in every recorded answer', () => {
    for (const { response } of recordingsOfApi('google.generate_content')) {
      if (response.status >= 300) continue;
      const { usage } = codec.decodeResponse(response.body as JsonObject);
      expect((totalInputTokens(usage ?? {}) ?? 0) + (totalOutputTokens(usage ?? {}) ?? 0)).toBe(usage?.totalTokens);
    }
  });

  it('takes cached and audio tokens out of the prompt, thoughts out of nothing', () => {
    const usageMetadata = {
      promptTokenCount: 1000,
      cachedContentTokenCount: 600,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 700 },
        { modality: 'AUDIO', tokenCount: 300 },
      ],
      cacheTokensDetails: [{ modality: 'AUDIO', tokenCount: 100 }],
      candidatesTokenCount: 50,
      thoughtsTokenCount: 20,
      toolUsePromptTokenCount: 7,
      totalTokenCount: 1077,
    };
    const usage = codec.readStreamUsage({ data: JSON.stringify({ usageMetadata }) });
    expect(usage).toEqual({
      inputTokens: 200,
      cacheReadTokens: 600,
      inputAudioTokens: 200,
      toolUseInputTokens: 7,
      outputTokens: 50,
      reasoningTokens: 20,
      totalTokens: 1077,
    });
  });
});
