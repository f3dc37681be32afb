/**
 * Prompt caches of providers work on prefixes: what turn n + 1 sends must begin with the very bytes that turn n sent, in whatever dialect
 * the request leaves. Held over the recorded requests that go on after an answer, cut where an earlier turn ended.
 */
import type { ConversationRequest, DialectName, Json, JsonObject } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import { recordingsOfApi } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { codecOf } from './registry.ts';

const sources = [
  ['openai.chat_completions', 'openai-chat'],
  ['openai.responses', 'openai-responses'],
  ['anthropic.messages', 'anthropic-messages'],
] as const;
const targets: readonly DialectName[] = [
  'openai-chat',
  'openai-responses',
  'anthropic-messages',
  'gemini-generate-content',
];
const turnsOf = (body: JsonObject): readonly Json[] =>
  (body['messages'] ?? body['input'] ?? body['contents'] ?? []) as readonly Json[];
const models: Readonly<Record<DialectName, string>> = {
  'openai-chat': 'gpt-4o',
  'openai-responses': 'gpt-4o',
  'anthropic-messages': 'claude-opus-4-6',
  'gemini-generate-content': 'gemini-3-pro',
  'openai-completions': 'gpt-3.5-turbo-instruct',
};

/** The conversations that a request went through: each ends where the model answered next. */
function earlierTurns(request: ConversationRequest): readonly ConversationRequest[] {
  return request.messages
    .flatMap((message, index) => (message.role === 'assistant' && index > 0 ? [request.messages.slice(0, index)] : []))
    .filter(hasUser)
    .map((messages) => ({ ...request, messages }));
}

/** Instructions alone are sent with a placeholder for what the user says, which goes away as soon as he says something. */
function hasUser(messages: ConversationRequest['messages']): boolean {
  return messages.some(({ role }) => role === 'user');
}

function encode(request: ConversationRequest, target: DialectName): JsonObject {
  return codecOf(target).encodeRequest(
    { ...request, model: models[target] },
    { report: { add: () => undefined }, fallbackId: 'f' },
  );
}

describe.each(sources)('conversations of %s', (api, dialect) => {
  it.each(targets.filter((target) => target !== dialect))('grow at their end alone in %s', (target) => {
    const broken: string[] = [];
    let turns = 0;
    for (const { id, request } of recordingsOfApi(api)) {
      if (!isJsonObject(request?.body)) continue;
      let decoded: ConversationRequest;
      try {
        decoded = codecOf(dialect).decodeRequest(request.body, { model: 'm', stream: false });
      } catch {
        continue; // recorded because the provider refused it
      }
      const whole = turnsOf(encode(decoded, target)).map((turn) => JSON.stringify(turn));
      for (const earlier of earlierTurns(decoded)) {
        const sent = turnsOf(encode(earlier, target)).map((turn) => JSON.stringify(turn));
        turns += 1;
        if (sent.some((turn, index) => turn !== whole[index])) broken.push(`${id} after ${earlier.messages.length}`);
      }
    }
    expect(turns).toBeGreaterThan(50);
    expect(broken).toEqual([]);
  });
});
