/** A conversation that moves between providers: each gets its own opaque values back byte for byte, and nobody else's. */
import { startReplayUpstream } from '@bifrost/testkit';
import type { ReplayAnswer } from '@bifrost/testkit';
import type { JsonObject } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import { provider, routes, TestGateway } from './__tests__/harness.ts';
import type { InboundRoute } from './seam.ts';

const thoughtSignature = Buffer.from('gemini: of the thought').toString('base64');
const callSignature = Buffer.from('gemini: of the call').toString('base64');
const claudeSignature = Buffer.from('claude: of its thinking').toString('base64');
const encryptedContent = Buffer.from('openai: of its reasoning').toString('base64');

const geminiAnswer: ReplayAnswer = {
  body: {
    candidates: [
      {
        index: 0,
        finishReason: 'STOP',
        content: {
          role: 'model',
          parts: [
            { text: 'Where is it?', thought: true },
            { text: 'Let me look.', thoughtSignature },
            { functionCall: { name: 'look', args: { city: 'Paris' } }, thoughtSignature: callSignature },
          ],
        },
      },
    ],
    usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 5 },
    modelVersion: 'gemini-2.5-pro',
  },
};
const claudeAnswer = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [
    { type: 'thinking', thinking: 'Sunny, then.', signature: claudeSignature },
    { type: 'tool_use', id: 'toolu_1', name: 'look', input: { city: 'Rome' } },
  ],
  stop_reason: 'tool_use',
  stop_sequence: null,
  usage: { input_tokens: 3, output_tokens: 2 },
};
const chatAnswer = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt',
  choices: [
    {
      index: 0,
      finish_reason: 'tool_calls',
      message: {
        role: 'assistant',
        content: 'And Rome?',
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"city":"Rome"}' } }],
      },
    },
  ],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
};
const responsesAnswer = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'completed',
  model: 'gpt',
  output: [
    { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: encryptedContent },
    { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'look', arguments: '{"city":"Rome"}' },
  ],
  usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
};

/** How an SDK's user goes on: the answer's messages as they came, then the results of their calls. */
interface Client {
  readonly route: InboundRoute;
  readonly other: {
    readonly name: 'anthropic' | 'openai';
    readonly answer: JsonObject;
    readonly own: string | undefined;
  };
  readonly request: (history: readonly unknown[]) => JsonObject;
  readonly goOn: (answer: JsonObject) => readonly unknown[];
  /** The ids of calls and of results in a request of the client's dialect. */
  readonly ids: (request: JsonObject) => { readonly calls: unknown[]; readonly results: unknown[] };
}

const question = { role: 'user', content: 'Weather?' };
const list = (value: unknown): JsonObject[] => (Array.isArray(value) ? value : []);
const parameters = { type: 'object', properties: { city: { type: 'string' } } };

const anthropicClient: Client = {
  route: routes.anthropic,
  other: { name: 'anthropic', answer: claudeAnswer, own: claudeSignature },
  request: (messages) =>
    ({ max_tokens: 100, messages, tools: [{ name: 'look', input_schema: parameters }] }) as unknown as JsonObject,
  goOn: (answer) => [
    { role: 'assistant', content: answer['content'] },
    {
      role: 'user',
      content: list(answer['content'])
        .filter((block) => block['type'] === 'tool_use')
        .map((block) => ({ type: 'tool_result', tool_use_id: block['id'], content: 'sunny' })),
    },
  ],
  ids: (request) => {
    const blocks = list(request['messages']).flatMap((one) => list(one['content']));
    return {
      calls: blocks.filter((one) => one['type'] === 'tool_use').map((one) => one['id']),
      results: blocks.filter((one) => one['type'] === 'tool_result').map((one) => one['tool_use_id']),
    };
  },
};

const chatClient: Client = {
  route: routes.chat,
  other: { name: 'openai', answer: chatAnswer, own: undefined },
  request: (messages) =>
    ({ messages, tools: [{ type: 'function', function: { name: 'look', parameters } }] }) as unknown as JsonObject,
  goOn: (answer) => {
    const message = list(answer['choices'])[0]?.['message'] as JsonObject;
    const results = list(message['tool_calls']).map((call) => ({
      role: 'tool',
      tool_call_id: call['id'],
      content: 'sunny',
    }));
    return [message, ...results];
  },
  ids: (request) => {
    const messages = list(request['messages']);
    return {
      calls: messages.flatMap((one) => list(one['tool_calls'])).map((one) => one['id']),
      results: messages.filter((one) => one['role'] === 'tool').map((one) => one['tool_call_id']),
    };
  },
};

const responsesClient: Client = {
  route: routes.responses,
  other: { name: 'openai', answer: responsesAnswer, own: encryptedContent },
  request: (input) =>
    ({ input, store: false, tools: [{ type: 'function', name: 'look', parameters }] }) as unknown as JsonObject,
  goOn: (answer) => {
    const output = list(answer['output']);
    const results = output
      .filter((item) => item['type'] === 'function_call')
      .map((item) => ({ type: 'function_call_output', call_id: item['call_id'], output: 'sunny' }));
    return [...output, ...results];
  },
  ids: (request) => {
    const items = list(request['input']);
    return {
      calls: items.filter((one) => one['type'] === 'function_call').map((one) => one['call_id']),
      results: items.filter((one) => one['type'] === 'function_call_output').map((one) => one['call_id']),
    };
  },
};

const marks = /eyJiaWZyb3N0|__bfsig_|bfid_/;
const geminiValues = [thoughtSignature, callSignature].flatMap((one) => [one, Buffer.from(one).toString('base64url')]);

describe.each([
  ['an Anthropic SDK', anthropicClient],
  ['an OpenAI chat SDK', chatClient],
  ['an OpenAI Responses SDK', responsesClient],
])('the conversation of %s', (_, client) => {
  it('goes from gemini to a provider of its own dialect and back', async () => {
    const { name, answer, own } = client.other;
    await using gemini = await startReplayUpstream({ script: [geminiAnswer, geminiAnswer] });
    await using other = await startReplayUpstream({ script: [{ body: answer }] });
    await using gateway = new TestGateway({ providers: [provider('gemini', gemini.url), provider(name, other.url)] });
    const say = async (model: string, history: readonly unknown[]) => {
      const sink = await gateway.post(client.route, { model, ...client.request(history) });
      expect(sink.statusCode, sink.text).toBe(200);
      return { lane: sink.headers['x-bf-lane'], history: [...history, ...client.goOn(sink.json)] };
    };

    const first = await say('gemini/gemini-2.5-pro', [question]);
    const second = await say(`${name}/model`, first.history);
    const sent = other.requests[0]?.json() as JsonObject;
    const text = JSON.stringify(sent);
    expect(text).not.toMatch(marks);
    for (const value of geminiValues) expect(text).not.toContain(value);
    const { calls, results } = client.ids(sent);
    expect([calls.length, calls]).toEqual([1, results]);
    expect(calls[0]).toMatch(/^[a-zA-Z0-9_-]+$/);
    expect(second.lane).toBe('translated');

    await say('gemini/gemini-2.5-pro', second.history);
    const back = gemini.requests[1]?.json() as JsonObject;
    const parts = list(back['contents']).flatMap((one) => list(one['parts']));
    const called = parts.filter((part) => part['functionCall'] !== undefined);
    expect(called.map((part) => part['thoughtSignature'])).toEqual([callSignature, undefined]);
    expect(JSON.stringify(back)).not.toMatch(marks);
    if (own !== undefined) expect(JSON.stringify(back)).not.toContain(own);
  });
});

describe('a body without wrapped values', () => {
  it('keeps its lane, whatever words it has', async () => {
    await using upstream = await startReplayUpstream({ script: [{ body: claudeAnswer }] });
    await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)] });
    const content = 'the prefix bfid_, bifrost a bridge, eyJhbGciOi a token, __proto__ a name';
    const sink = await gateway.post(routes.anthropic, {
      model: 'claude',
      max_tokens: 5,
      messages: [{ role: 'user', content }],
    });
    expect(sink.headers['x-bf-lane']).toBe('identical');
  });
});
