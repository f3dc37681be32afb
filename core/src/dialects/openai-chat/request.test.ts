import type { ConversationRequest, JsonObject } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import type { DialectQuirks, Loss } from '../codec.ts';
import { packToolCallId, tagOpaque } from '../provenance.ts';
import { openaiChatCodec as codec } from './codec.ts';

const encode = (
  request: ConversationRequest,
  quirks: DialectQuirks = {},
): { readonly body: JsonObject; readonly lost: readonly string[] } => {
  const losses: Loss[] = [];
  const body = codec.encodeRequest(request, { report: { add: (loss) => void losses.push(loss) }, quirks });
  return { body, lost: losses.map((loss) => `${loss.action} ${loss.field}`) };
};
const chat = (more: JsonObject, content: JsonObject[string] = 'Hi'): JsonObject => ({
  model: 'm',
  messages: [{ role: 'user', content }],
  ...more,
});
const decode = (body: JsonObject): ConversationRequest => codec.decodeRequest(body, {});
const back = (body: JsonObject): void => {
  expect(encode(decode(body))).toEqual({ body, lost: [] });
};
/** As it would come from a client of another dialect: canonical fields only. */
const foreign = (request: Partial<ConversationRequest>): ConversationRequest => ({
  model: 'm',
  stream: false,
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }],
  ...request,
});

describe('requests with fields that the recordings lack', () => {
  it.each([
    [
      'custom tools, with a grammar and chosen by name',
      chat({
        tools: [
          {
            type: 'custom',
            custom: {
              name: 'shell',
              description: 'runs',
              format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: "a"' } },
            },
          },
          { type: 'custom', custom: { name: 'free', format: { type: 'text' } } },
        ],
        tool_choice: { type: 'custom', custom: { name: 'shell' } },
      }),
    ],
    [
      'allowed tools',
      chat({
        tools: [{ type: 'function', function: { name: 'f' } }],
        tool_choice: {
          type: 'allowed_tools',
          allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'f' } }] },
        },
      }),
    ],
    [
      'allowed tools of a kind without a canonical form',
      chat({
        tool_choice: {
          type: 'allowed_tools',
          allowed_tools: { mode: 'auto', tools: [{ type: 'mcp', server_label: 's' }] },
        },
      }),
    ],
    [
      'a legacy function that is chosen, called and answered',
      {
        model: 'm',
        functions: [{ name: 'f', parameters: { type: 'object' } }],
        function_call: { name: 'f' },
        messages: [
          { role: 'user', content: 'a' },
          { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
          { role: 'function', name: 'f', content: '1' },
        ],
      },
    ],
    [
      'calls of custom tools and their answers',
      {
        model: 'm',
        messages: [
          { role: 'user', content: 'a' },
          { role: 'assistant', tool_calls: [{ id: 'c', type: 'custom', custom: { name: 'shell', input: 'ls' } }] },
          {
            role: 'tool',
            tool_call_id: 'c',
            content: [
              { type: 'text', text: 'x' },
              { type: 'text', text: 'y' },
            ],
          },
        ],
      },
    ],
    [
      'a refusal, as a field and as a part',
      {
        model: 'm',
        messages: [
          { role: 'assistant', refusal: 'No.', content: null },
          {
            role: 'assistant',
            content: [
              { type: 'text', text: 'Hm' },
              { type: 'refusal', refusal: 'no' },
            ],
          },
        ],
      },
    ],
    [
      'audio of an earlier answer',
      {
        model: 'm',
        modalities: ['text', 'audio'],
        audio: { voice: 'alloy', format: 'mp3' },
        messages: [
          { role: 'assistant', audio: { id: 'audio_1' } },
          { role: 'user', content: 'a' },
        ],
      },
    ],
    [
      'files by id and by data without a type',
      chat({}, [
        { type: 'file', file: { file_id: 'file-1' } },
        { type: 'file', file: { file_data: 'JVBERi0=', filename: 'a.pdf' } },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
        { type: 'new_kind', x: 1 },
      ]),
    ],
    [
      'both token limits, stop words, sampling and stream options',
      chat({
        max_completion_tokens: 9,
        max_tokens: 8,
        stop: 'x',
        seed: 3,
        top_k: 4,
        n: 2,
        frequency_penalty: 1,
        presence_penalty: -1,
        logprobs: true,
        top_logprobs: 2,
        logit_bias: { 5: 1 },
        service_tier: 'flex',
        metadata: { a: 'b' },
        user: 'u',
        stream: true,
        stream_options: { include_usage: true, include_obfuscation: false },
      }),
    ],
    ['usage of a stream refused', chat({ stream: true, stream_options: { include_usage: false } })],
    ['a grammar as response format', chat({ response_format: { type: 'grammar', grammar: 'root ::= "a"' } })],
    [
      'a schema without name, with what is not known',
      chat({ response_format: { type: 'json_schema', json_schema: { schema: { type: 'object' }, extra: true } } }),
    ],
    [
      'thinking of several servers',
      chat({
        reasoning: { effort: 'high', exclude: true },
        thinking: { type: 'disabled' },
        enable_thinking: true,
        thinking_budget: 10,
      }),
    ],
    ['a thinking budget', chat({ thinking: { type: 'enabled', budget_tokens: 2048 } })],
    ['thinking switched by a flag', chat({ enable_thinking: true, thinking_budget: 77 })],
    ['an effort of its own', chat({ reasoning_effort: 'default' })],
    ['a cache marker of another kind', chat({}, [{ type: 'text', text: 'a', cache_control: { type: 'persistent' } }])],
  ])('come back as they were: %s', (_, body) => back(body as JsonObject));

  it('keeps the key order of schemas, for parameters and answers', () => {
    const schema = {
      type: 'object',
      properties: { z: { type: 'string' }, a: { type: 'number' } },
      required: ['z', 'a'],
    };
    const { body } = encode(
      decode(
        chat({
          tools: [{ type: 'function', function: { name: 'f', parameters: schema } }],
          response_format: { type: 'json_schema', json_schema: { name: 's', schema } },
        }),
      ),
    );
    expect(JSON.stringify(body).split(JSON.stringify(schema))).toHaveLength(3);
  });

  it('reads media as what they are', () => {
    const parts = decode(
      chat({}, [
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
        { type: 'image_url', image_url: { url: 'https://x/y.png' } },
        { type: 'input_audio', input_audio: { data: 'BBBB', format: 'mp3' } },
        { type: 'file', file: { file_data: 'data:application/pdf;base64,CCCC', filename: 'a.pdf' } },
      ]),
    ).messages[0]?.parts;
    expect(parts).toMatchObject([
      { kind: 'image', source: { type: 'base64', data: 'AAAA' }, mediaType: 'image/png', detail: 'low' },
      { kind: 'image', source: { type: 'url', url: 'https://x/y.png' } },
      { kind: 'audio', source: { type: 'base64', data: 'BBBB' }, mediaType: 'audio/mpeg' },
      { kind: 'file', source: { type: 'base64', data: 'CCCC' }, mediaType: 'application/pdf', filename: 'a.pdf' },
    ]);
  });
});

describe('a wrong request is refused with the field at fault', () => {
  it.each([
    [{ model: 'm' }, 'messages'],
    [{ model: 'm', messages: [] }, 'messages'],
    [{ model: 'm', messages: 'Hi' }, 'messages'],
    [{ model: 'm', messages: ['Hi'] }, 'messages[0]'],
    [{ model: 'm', messages: [{ role: 'robot', content: 'a' }] }, 'messages[0].role'],
    [{ model: 'm', messages: [{ role: 'user' }] }, 'messages[0].content'],
    [{ model: 'm', messages: [{ role: 'user', content: 7 }] }, 'messages[0].content'],
    [{ model: 'm', messages: [{ role: 'user', content: [{ text: 'a' }] }] }, 'messages[0].content[0].type'],
    [
      { model: 'm', messages: [{ role: 'user', content: [{ type: 'image_url' }] }] },
      'messages[0].content[0].image_url.url',
    ],
    [{ model: 'm', messages: [{ role: 'tool', content: 'a' }] }, 'messages[0].tool_call_id'],
    [{ messages: [{ role: 'user', content: 'a' }] }, 'model'],
    [{ model: 5, messages: [{ role: 'user', content: 'a' }] }, 'model'],
    [chat({ temperature: 'hot' }), 'temperature'],
    [chat({ stream: 'yes' }), 'stream'],
    [chat({ stop: [1] }), 'stop'],
    [chat({ tools: {} }), 'tools'],
    [chat({ tools: [{ type: 'function' }] }), 'tools[0].function'],
    [chat({ tools: [{ type: 'function', function: {} }] }), 'tools[0].function.name'],
    [chat({ response_format: 'json' }), 'response_format'],
  ])('%j', (body, param) => {
    let info: unknown;
    try {
      decode(body as JsonObject);
    } catch (error) {
      info = (error as { toInfo(): unknown }).toInfo();
    }
    expect(info).toMatchObject({
      statusCode: 400,
      code: 'BF_REQUEST_INVALID',
      type: 'invalid_request_error',
      origin: 'caller',
      param,
      message: expect.stringMatching(/^'.*' is .*; expected /) as string,
    });
  });

  it('takes the model of the path where the body has none', () => {
    expect(codec.decodeRequest(chat({ model: null }), { model: 'deployment' }).model).toBe('deployment');
  });
});

describe('quirks of a provider', () => {
  it('name the token limit, refuse fields, and know no developer or stream options', () => {
    const request = decode({
      ...chat({
        max_completion_tokens: 5,
        logit_bias: { 1: 1 },
        stream: true,
        stream_options: { include_usage: true },
      }),
      messages: [{ role: 'developer', content: 'Be brief.' }],
    });
    const { body, lost } = encode(request, {
      maxTokensField: 'max_tokens',
      unsupportedFields: ['logit_bias', 'seed'],
      noDeveloperRole: true,
      noStreamOptions: true,
    });
    expect(body).toEqual({
      model: 'm',
      messages: [{ role: 'system', content: 'Be brief.' }],
      max_tokens: 5,
      stream: true,
    });
    expect(lost).toEqual(['dropped logit_bias']);
  });

  it('name the field of earlier thinking', () => {
    const request = decode({ model: 'm', messages: [{ role: 'assistant', content: 'a', reasoning: 'Hm' }] });
    expect(encode(request, { reasoningField: 'reasoning_content' }).body['messages']).toEqual([
      { role: 'assistant', content: 'a', reasoning_content: 'Hm' },
    ]);
  });

  it.each([
    ['reasoning_effort', { effort: 'low' }, { reasoning_effort: 'low' }],
    ['reasoning_effort', { budgetTokens: 3000 }, { reasoning_effort: 'low' }],
    ['reasoning', { budgetTokens: 3000 }, { reasoning: { max_tokens: 3000 } }],
    ['reasoning', { isDisabled: true }, { reasoning: { enabled: false } }],
    ['thinking', { effort: 'none' }, { thinking: { type: 'disabled' } }],
    ['thinking', { budgetTokens: 3000 }, { thinking: { type: 'enabled', budget_tokens: 3000 } }],
    ['enable_thinking', { isDisabled: true }, { enable_thinking: false }],
    ['none', { effort: 'high' }, {}],
  ] as const)('ask for reasoning by %s', (reasoningRequest, reasoning, expected) => {
    const { messages: _, model: __, ...rest } = encode(foreign({ reasoning }), { reasoningRequest }).body;
    expect(rest).toEqual(expected);
  });

  it('map tool-call ids that the provider would refuse, alike in calls and results, and keep the others', () => {
    const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } });
    const messages = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: null, tool_calls: [call('toolu_01AbCdEfGh'), call('abcDEF123')] },
      { role: 'tool', tool_call_id: 'toolu_01AbCdEfGh', content: '1' },
      { role: 'tool', tool_call_id: 'abcDEF123', content: '2' },
    ];
    const { body, lost } = encode(decode({ model: 'm', messages }), { toolCallIdPattern: '^[a-zA-Z0-9]{9}$' });
    const [, assistant, first, second] = body['messages'] as { tool_calls: { id: string }[]; tool_call_id: string }[];
    const ids = assistant?.tool_calls.map((one) => one.id) ?? [];
    expect(ids[0]).toMatch(/^[a-zA-Z0-9]{9}$/);
    expect(ids[1]).toBe('abcDEF123');
    expect([first?.tool_call_id, second?.tool_call_id]).toEqual(ids);
    expect(lost).toEqual(['changed tool_call_id']);
  });
});

describe('requests of other dialects', () => {
  it('send tool results right after their calls, and what stood beside them after', () => {
    const { body, lost } = encode(
      foreign({
        messages: [
          {
            role: 'assistant',
            parts: [
              { type: 'tool-call', id: 'a', name: 'f', arguments: '{}' },
              { type: 'tool-call', id: 'b', name: 'f', arguments: '{}' },
            ],
          },
          {
            role: 'user',
            parts: [
              { type: 'tool-result', toolCallId: 'a', content: [{ type: 'text', text: '1' }] },
              {
                type: 'tool-result',
                toolCallId: 'b',
                content: [
                  { type: 'media', kind: 'image', mediaType: 'image/png', source: { type: 'base64', data: 'AAAA' } },
                ],
              },
              { type: 'text', text: 'Go on.' },
            ],
          },
        ],
      }),
    );
    expect((body['messages'] as JsonObject[]).slice(1)).toEqual([
      { role: 'tool', tool_call_id: 'a', content: '1' },
      { role: 'tool', tool_call_id: 'b', content: 'The result is attached to the next message.' },
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          { type: 'text', text: 'Go on.' },
        ],
      },
    ]);
    expect(lost).toEqual(['changed messages[1].content']);
  });

  it('name their files, as the API wants a name beside data', () => {
    const file = {
      type: 'media',
      kind: 'file',
      mediaType: 'application/pdf',
      source: { type: 'base64', data: 'AAAA' },
    } as const;
    const residue = { dialect: 'anthropic-messages', fields: {} } as const;
    const { body } = encode(
      foreign({
        messages: [
          {
            role: 'user',
            parts: [
              { ...file, residue },
              { ...file, title: 'a.pdf' },
            ],
          },
        ],
      }),
    );
    const data = 'data:application/pdf;base64,AAAA';
    expect((body['messages'] as JsonObject[])[0]?.['content']).toEqual([
      { type: 'file', file: { file_data: data, filename: 'document.pdf' } },
      { type: 'file', file: { file_data: data, filename: 'a.pdf' } },
    ]);
  });

  it('ask for usage of a stream, as those dialects always report it', () => {
    expect(encode(foreign({ stream: true })).body).toMatchObject({
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(encode(decode(chat({ stream: true }))).body['stream_options']).toBeUndefined();
  });

  it('lose, and say so, what only their own providers can read', () => {
    const { body, lost } = encode(
      foreign({
        topK: 5,
        tools: [{ type: 'server', dialect: 'anthropic-messages', name: 'web_search', value: {} }],
        messages: [
          {
            role: 'assistant',
            parts: [
              { type: 'reasoning', text: 'Hm', signature: 'S', origin: 'anthropic-messages' },
              { type: 'text', text: 'Hi', cacheControl: {} },
              { type: 'tool-call', id: 'a', name: 'f', arguments: '{}', signature: 'T' },
            ],
          },
        ],
      }),
    );
    expect(body).toEqual({
      model: 'm',
      messages: [
        {
          role: 'assistant',
          content: 'Hi',
          tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
      ],
    });
    expect(lost.toSorted()).toEqual([
      'dropped messages[0].content[0].cache_control',
      'dropped messages[0].reasoning',
      'dropped messages[0].reasoning_details[0].signature',
      'dropped messages[0].tool_calls[0].signature',
      'dropped tools[0]',
      'dropped top_k',
    ]);
  });
});

describe('opaque values of other makers', () => {
  it('come out of ids and details with their maker, and go only to it', () => {
    const signature = tagOpaque({ dialect: 'anthropic-messages', kind: 'signature', value: 'SIG' });
    const request = decode({
      model: 'm',
      messages: [
        {
          role: 'assistant',
          content: null,
          reasoning: 'Hm',
          reasoning_details: [
            { type: 'reasoning.text', text: 'Hm', signature, index: 0 },
            { type: 'reasoning.text', text: '', signature: 'OWN', index: 1 },
          ],
          tool_calls: [{ id: packToolCallId('a', 'TS'), type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: packToolCallId('a', 'TS'), content: '1' },
      ],
    });
    expect(request.messages[0]?.parts).toMatchObject([
      { type: 'reasoning', text: 'Hm', signature: 'SIG', origin: 'anthropic-messages' },
      { type: 'reasoning', text: '', signature: 'OWN', origin: 'openai-chat' },
      { type: 'tool-call', id: 'a', signature: 'TS' },
    ]);
    expect(request.messages[1]?.parts).toMatchObject([{ toolCallId: 'a', toolName: 'f' }]);
    const { body, lost } = encode(request);
    const text = JSON.stringify(body);
    expect(text).toContain('OWN');
    expect(text).not.toMatch(/SIG|TS|bfsig/);
    expect(lost).toEqual([
      'dropped messages[0].reasoning_details[0].signature',
      'dropped messages[0].tool_calls[0].signature',
    ]);
  });
});
