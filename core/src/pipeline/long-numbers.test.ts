/** A number that no double can hold, in a tool's arguments and schema, through every pair of dialects. */
import type { DialectName } from '@bifrost/sdk';
import { startReplayUpstream } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { provider, routes, TestGateway } from './__tests__/harness.ts';

const id = '1234567890123456789';
const args = `{"id":${id},"n":1}`;
const schema = '{"type":"object","properties":{"id":{"type":"integer","maximum":9223372036854775807}}}';

/** Written by hand: JSON.stringify would round. */
const requests: Partial<Record<DialectName, (stream: boolean) => string>> = {
  'openai-chat': (stream) =>
    `{"model":"MODEL","stream":${stream},"tools":[{"type":"function","function":{"name":"f","parameters":${schema}}}],"messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":${JSON.stringify(args)}}}]},{"role":"tool","tool_call_id":"c1","content":"r"}]}`,
  'anthropic-messages': (stream) =>
    `{"model":"MODEL","stream":${stream},"max_tokens":9,"tools":[{"name":"f","input_schema":${schema}}],"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"f","input":${args}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"r"}]}]}`,
};
const geminiAnswer = `{"candidates":[{"index":0,"finishReason":"STOP","content":{"role":"model","parts":[{"functionCall":{"name":"f","args":${args}}}]}}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2}}`;
const answers = {
  anthropic: {
    whole: `{"id":"m","type":"message","role":"assistant","model":"c","content":[{"type":"tool_use","id":"c1","name":"f","input":${args}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}`,
    stream: undefined,
  },
  gemini: { whole: geminiAnswer, stream: `data: ${geminiAnswer}\n\n` },
  openai: {
    whole: `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":${JSON.stringify(args)}}}]}}]}`,
    stream: undefined,
  },
};

/** The text without the escapes of a string in a string. */
const plain = (text: string): string => text.replaceAll('\\', '');

describe.each([
  ['openai-chat', routes.chat],
  ['anthropic-messages', routes.anthropic],
] as const)('a %s client', (dialect, route) => {
  it.each(['openai', 'anthropic', 'gemini'] as const)('and a provider %s', async (name) => {
    await using upstream = await startReplayUpstream();
    await using gateway = new TestGateway({ providers: [provider(name, upstream.url)] });
    for (const stream of [false, true]) {
      const body = stream ? answers[name].stream : answers[name].whole;
      if (body === undefined) continue;
      upstream.reset();
      const headers = { 'content-type': stream ? 'text/event-stream' : 'application/json' };
      upstream.script([{ status: 200, body, headers }]);
      const text = (requests[dialect]?.(stream) ?? '').replace('MODEL', `${name}/m`);
      const answer = await gateway.post(route, text);
      const sent = plain((await upstream.request(0)).body.toString());
      expect(sent).toContain(`"id":${id}`);
      expect(sent).toContain('"maximum":9223372036854775807');
      expect(plain(answer.text)).toContain(`"id":${id}`);
    }
  });
});
