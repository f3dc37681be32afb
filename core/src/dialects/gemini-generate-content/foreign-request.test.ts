import type { ConversationRequest, Message } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import type { Loss } from '../codec.ts';
import { packToolCallId, tagOpaque } from '../provenance.ts';
import { geminiGenerateContentCodec as codec } from './codec.ts';

const user = (text: string): Message => ({ role: 'user', parts: [{ type: 'text', text }] });
const model = 'gemini-2.5-flash';

const encode = (
  request: Partial<ConversationRequest>,
): { readonly body: ReturnType<typeof codec.encodeRequest>; readonly losses: readonly Loss[] } => {
  const losses: Loss[] = [];
  const body = codec.encodeRequest(
    { model, stream: false, messages: [user('hi')], ...request },
    { report: { add: (loss) => void losses.push(loss) } },
  );
  return { body, losses };
};

const fields = (losses: readonly Loss[]): readonly string[] => losses.map(({ action, field }) => `${action} ${field}`);

const call = (id: string, name: string, signature?: string): Message => ({
  role: 'assistant',
  parts: [{ type: 'tool-call', id, name, arguments: '{"a":1}', ...(signature === undefined ? {} : { signature }) }],
});

const result = (toolCallId: string, text: string): Message => ({
  role: 'tool',
  parts: [{ type: 'tool-result', toolCallId, content: [{ type: 'text', text }] }],
});

describe('a request of another dialect', () => {
  it('gets system text first, replies of one step in one turn, and names of results from their calls', () => {
    const { body, losses } = encode({
      messages: [
        { role: 'system', parts: [{ type: 'text', text: 'be brief' }] },
        { role: 'developer', parts: [{ type: 'text', text: 'and kind' }] },
        user('weather?'),
        {
          role: 'assistant',
          parts: [
            { type: 'tool-call', id: 'c1', name: 'weather', arguments: '{"city":"Rome"}' },
            { type: 'tool-call', id: 'c2', name: 'time', arguments: '' },
          ],
        },
        result('c1', '{"degrees":20}'),
        result('c2', 'noon'),
      ],
    });
    expect(losses).toEqual([]);
    expect(body).toEqual({
      systemInstruction: { parts: [{ text: 'be brief' }, { text: 'and kind' }] },
      contents: [
        { role: 'user', parts: [{ text: 'weather?' }] },
        {
          role: 'model',
          parts: [
            { functionCall: { id: 'c1', name: 'weather', args: { city: 'Rome' } } },
            { functionCall: { id: 'c2', name: 'time', args: {} } },
          ],
        },
        {
          role: 'user',
          parts: [
            { functionResponse: { id: 'c1', name: 'weather', response: { degrees: 20 } } },
            { functionResponse: { id: 'c2', name: 'time', response: { output: 'noon' } } },
          ],
        },
      ],
    });
  });

  it('has later system messages inlined and a begun answer trimmed, both reported', () => {
    const { body, losses } = encode({
      messages: [
        user('one'),
        { role: 'system', parts: [{ type: 'text', text: 'now be rude' }] },
        { role: 'assistant', parts: [{ type: 'text', text: 'Well' }] },
      ],
    });
    expect(body['contents']).toEqual([
      { role: 'user', parts: [{ text: 'one' }] },
      { role: 'user', parts: [{ text: 'now be rude' }] },
    ]);
    expect(fields(losses)).toEqual(['dropped messages[2]', 'changed messages[1].role']);
  });

  it('always has a turn, never an empty text or content', () => {
    const system: Message = { role: 'system', parts: [{ type: 'text', text: 'only this' }] };
    expect(encode({ messages: [system] }).body['contents']).toEqual([{ role: 'user', parts: [{ text: 'only this' }] }]);
    const empty = encode({ messages: [user(''), { role: 'assistant', parts: [] }, user('hi')] });
    expect(empty.body['contents']).toEqual([{ role: 'user', parts: [{ text: 'hi' }] }]);
  });

  it('reports every setting that Gemini has no field for', () => {
    const { body, losses } = encode({
      isParallelToolCallsAllowed: false,
      userId: 'u1',
      serviceTier: 'flex',
      metadata: { a: 1 },
      tools: [
        { type: 'function', name: 'f', strict: true, cacheControl: {} },
        { type: 'server', dialect: 'openai-responses', name: 'web_search', value: { type: 'web_search' } },
      ],
      residue: { dialect: 'openai-chat', fields: { logit_bias: { 50256: -100 }, store: true } },
      messages: [
        {
          role: 'user',
          name: 'Ann',
          parts: [{ type: 'text', text: 'hi', cacheControl: { ttl: '1h' } }],
          residue: { dialect: 'openai-chat', fields: { weight: 1 } },
        },
      ],
    });
    expect(body).toEqual({
      contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
      tools: [{ functionDeclarations: [{ name: 'f' }] }],
    });
    expect(fields(losses).toSorted()).toEqual([
      'dropped logit_bias',
      'dropped messages[0].content[0].cache_control',
      'dropped messages[0].name',
      'dropped messages[0].weight',
      'dropped metadata',
      'dropped parallel_tool_calls',
      'dropped service_tier',
      'dropped store',
      'dropped tools[0].cache_control',
      'dropped tools[0].strict',
      'dropped tools[1]',
      'dropped user',
    ]);
  });

  it('keeps schemas as they are, key order included', () => {
    const schema = JSON.parse(
      '{"type":"object","required":["b"],"properties":{"b":{"type":["string","null"]},"a":{}}}',
    ) as {
      readonly type: string;
    };
    const { body } = encode({
      tools: [{ type: 'function', name: 'f', description: 'd', parameters: schema }],
      toolChoice: { type: 'tool', name: 'f' },
      responseFormat: { type: 'json-schema', name: 'n', schema, strict: true },
    });
    const wire = JSON.stringify(body);
    expect(wire).toContain(`"parametersJsonSchema":${JSON.stringify(schema)}`);
    expect(wire).toContain(`"responseJsonSchema":${JSON.stringify(schema)}`);
    expect(body['toolConfig']).toEqual({ functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f'] } });
    expect(body['generationConfig']).toMatchObject({ responseMimeType: 'application/json' });
  });

  it('sends media by bytes or address and refuses files of other providers', () => {
    const { body, losses } = encode({
      messages: [
        {
          role: 'user',
          parts: [
            { type: 'media', kind: 'image', source: { type: 'base64', data: 'AAAA' }, mediaType: 'image/png' },
            {
              type: 'media',
              kind: 'image',
              source: { type: 'url', url: 'https://x.example/a.webp?b=1' },
              detail: 'high',
            },
            { type: 'media', kind: 'image', source: { type: 'url', url: 'gs://bucket/b.jpg' } },
            { type: 'media', kind: 'image', source: { type: 'url', url: 'data:image/gif;base64,R0lG' } },
            { type: 'media', kind: 'file', source: { type: 'base64', data: 'JVBE' }, filename: 'a.pdf' },
            { type: 'media', kind: 'file', source: { type: 'file-id', fileId: 'file-123' } },
          ],
        },
      ],
    });
    expect(body['contents']).toEqual([
      {
        role: 'user',
        parts: [
          { inlineData: { mimeType: 'image/png', data: 'AAAA' } },
          { fileData: { fileUri: 'https://x.example/a.webp?b=1', mimeType: 'image/webp' } },
          { fileData: { fileUri: 'gs://bucket/b.jpg', mimeType: 'image/jpeg' } },
          { inlineData: { mimeType: 'image/gif', data: 'R0lG' } },
          { inlineData: { mimeType: 'application/pdf', data: 'JVBE' } },
        ],
      },
    ]);
    expect(fields(losses)).toEqual([
      'dropped messages[0].content[1].detail',
      'dropped messages[0].content[4].filename',
      'dropped messages[0].content[5]',
    ]);
  });

  it('puts media of a tool result inside it for Gemini 3, beside it for older models', () => {
    const messages: readonly Message[] = [
      call('c1', 'shot'),
      {
        role: 'tool',
        parts: [
          {
            type: 'tool-result',
            toolCallId: 'c1',
            isError: true,
            content: [
              { type: 'text', text: 'see' },
              { type: 'media', kind: 'image', source: { type: 'base64', data: 'AA==' }, mediaType: 'image/png' },
            ],
          },
        ],
      },
    ];
    const image = { inlineData: { mimeType: 'image/png', data: 'AA==' } };
    const response = { id: 'c1', name: 'shot', response: { error: 'see' } };
    const old = encode({ messages });
    expect((old.body['contents'] as readonly unknown[])[1]).toEqual({
      role: 'user',
      parts: [{ functionResponse: response }, image],
    });
    expect(fields(old.losses)).toEqual(['changed messages[1].content[0].content']);
    const nested = encode({ messages, model: 'gemini-3-flash-preview' });
    expect((nested.body['contents'] as readonly unknown[])[1]).toEqual({
      role: 'user',
      parts: [{ functionResponse: { ...response, parts: [image] } }],
    });
    expect(nested.losses).toEqual([]);
  });

  it('puts free text and broken arguments under a key, reported', () => {
    const broken: Message = {
      role: 'assistant',
      parts: [{ type: 'tool-call', id: 'c1', name: 'f', arguments: '{"a":' }],
    };
    const { body, losses } = encode({ messages: [user('x'), broken, result('c1', 'ok')] });
    expect(JSON.stringify(body)).toContain('"args":{"input":"{\\"a\\":"}');
    expect(fields(losses)).toEqual(['changed messages[1].content[0].arguments']);
  });
});

describe('signatures', () => {
  const signatureOf = (request: Partial<ConversationRequest>): unknown =>
    (
      encode(request).body['contents'] as readonly {
        readonly parts: readonly { readonly thoughtSignature?: string }[];
      }[]
    )
      .flatMap((content) => content.parts)
      .flatMap((part) => part.thoughtSignature ?? []);

  it('of a call come back byte for byte', () => {
    const messages = [user('x'), call('c1', 'f', 'SiG+/='), result('c1', 'ok')];
    expect(signatureOf({ messages })).toEqual(['SiG+/=']);
    expect(signatureOf({ messages, model: 'gemini-3-pro-preview' })).toEqual(['SiG+/=']);
  });

  it('are replaced by the sentinel on the first call of a step for Gemini 3 only', () => {
    const step: Message = { role: 'assistant', parts: [...call('c1', 'f').parts, ...call('c2', 'g').parts] };
    const messages = [user('x'), step, result('c1', 'ok'), result('c2', 'ok')];
    expect(signatureOf({ messages })).toEqual([]);
    for (const name of ['gemini-3-pro-preview', 'models/gemini-3.5-flash', 'gemini-flash-latest', 'google/gemini-4']) {
      expect(signatureOf({ messages, model: name })).toEqual(['skip_thought_signature_validator']);
    }
    const signed: Message = { role: 'assistant', parts: [...call('c1', 'f', 'own').parts, ...call('c2', 'g').parts] };
    expect(signatureOf({ messages: [user('x'), signed], model: 'gemini-3-pro-preview' })).toEqual([]);
    expect(
      signatureOf({
        messages: [user('x'), signed, result('c1', 'a'), result('c2', 'b')],
        model: 'gemini-3-pro-preview',
      }),
    ).toEqual(['own']);
  });

  it('of thoughts go to their maker only', () => {
    const thought = (origin?: 'anthropic-messages' | 'gemini-generate-content'): Message => ({
      role: 'assistant',
      parts: [
        { type: 'reasoning', text: 'hm', signature: 'c2ln', ...(origin === undefined ? {} : { origin }) },
        { type: 'text', text: 'yes' },
      ],
    });
    expect(signatureOf({ messages: [user('x'), thought('gemini-generate-content'), user('y')] })).toEqual(['c2ln']);
    for (const origin of ['anthropic-messages', undefined] as const) {
      const { body, losses } = encode({ messages: [user('x'), thought(origin), user('y')] });
      expect(JSON.stringify(body)).not.toContain('c2ln');
      expect(JSON.stringify(body)).toContain('{"text":"hm","thought":true}');
      expect(fields(losses)).toEqual(['dropped messages[1].content[0].signature']);
    }
  });

  it("of other makers are read from a Gemini client's history and carried to it in answers", () => {
    const tagged = tagOpaque({ dialect: 'anthropic-messages', kind: 'encrypted', value: 'redacted!' });
    const request = codec.decodeRequest(
      {
        contents: [
          { role: 'user', parts: [{ text: 'x' }] },
          { role: 'model', parts: [{ text: '', thought: true, thoughtSignature: tagged }] },
        ],
      },
      { model },
    );
    const [part] = request.messages[1]?.parts ?? [];
    expect(part).toMatchObject({ type: 'reasoning', encrypted: 'redacted!', origin: 'anthropic-messages' });
    const answer = codec.encodeResponse(
      {
        candidates: [
          { index: 0, parts: [{ type: 'reasoning', text: '', encrypted: 'redacted!', origin: 'anthropic-messages' }] },
        ],
      },
      { report: { add: () => undefined } },
    );
    expect(answer).toMatchObject({
      candidates: [{ content: { parts: [{ text: '', thought: true, thoughtSignature: tagged }] } }],
    });
  });

  it('packed in call ids are unpacked', () => {
    const id = packToolCallId('call_1', 'c2lnbmF0dXJl');
    const request = codec.decodeRequest(
      {
        contents: [
          { role: 'model', parts: [{ functionCall: { id, name: 'f', args: {} } }] },
          { role: 'user', parts: [{ functionResponse: { id, name: 'f', response: {} } }] },
        ],
      },
      { model },
    );
    expect(request.messages[0]?.parts[0]).toMatchObject({ id: 'call_1', signature: 'c2lnbmF0dXJl' });
    expect(request.messages[1]?.parts[0]).toMatchObject({ toolCallId: 'call_1' });
  });
});

describe('reasoning', () => {
  const thinkingOf = (request: Partial<ConversationRequest>): unknown =>
    (encode(request).body['generationConfig'] as { readonly thinkingConfig?: unknown } | undefined)?.thinkingConfig;

  it.each([
    ['gemini-2.5-flash', 'none', { thinkingBudget: 0 }, false],
    ['gemini-2.5-flash', 'minimal', { thinkingBudget: 1024 }, false],
    ['gemini-2.5-flash', 'low', { thinkingBudget: 1024 }, false],
    ['gemini-2.5-flash', 'medium', { thinkingBudget: 8192 }, false],
    ['gemini-2.5-pro', 'high', { thinkingBudget: 24576 }, false],
    ['gemini-2.5-pro', 'xhigh', { thinkingBudget: 24576 }, true],
    ['gemini-2.5-pro', 'none', { thinkingBudget: 128 }, true],
    ['gemini-3-pro-preview', 'none', { thinkingLevel: 'LOW' }, true],
    ['gemini-3-pro-preview', 'low', { thinkingLevel: 'LOW' }, false],
    ['gemini-3-pro-preview', 'medium', { thinkingLevel: 'HIGH' }, true],
    ['gemini-3.1-pro-preview', 'medium', { thinkingLevel: 'MEDIUM' }, false],
    ['gemini-3-flash-preview', 'minimal', { thinkingLevel: 'MINIMAL' }, false],
    ['gemini-3-flash-preview', 'medium', { thinkingLevel: 'MEDIUM' }, false],
    ['gemini-3.5-flash', 'max', { thinkingLevel: 'HIGH' }, true],
    ['gemini-2.0-flash', 'high', undefined, true],
  ] as const)('%s is told %s as %j', (name, effort, expected, isReported) => {
    expect(thinkingOf({ model: name, reasoning: { effort } })).toEqual(expected);
    expect(encode({ model: name, reasoning: { effort } }).losses.length > 0).toBe(isReported);
  });

  it('keeps budgets in the range of the model and shows thoughts where they are asked for', () => {
    expect(thinkingOf({ reasoning: { budgetTokens: 100_000, summary: 'auto' } })).toEqual({
      thinkingBudget: 24_576,
      includeThoughts: true,
    });
    expect(thinkingOf({ reasoning: { isAdaptive: true } })).toEqual({ thinkingBudget: -1, includeThoughts: true });
    expect(thinkingOf({ reasoning: { effort: 'low', summary: 'none' } })).toEqual({
      thinkingBudget: 1024,
      includeThoughts: false,
    });
    expect(thinkingOf({ model: 'gemini-3-pro-preview', reasoning: { budgetTokens: 2000, summary: 'none' } })).toEqual({
      thinkingBudget: 2000,
      includeThoughts: false,
    });
  });

  it("in Gemini's own words stays as it is for the same family and is adapted for another", () => {
    const body = {
      contents: [{ role: 'user', parts: [{ text: 'x' }] }],
      generationConfig: { thinkingConfig: { thinkingLevel: 'medium' } },
    };
    const request = codec.decodeRequest(body, { model: 'gemini-3-pro-preview' });
    expect(encode(request)).toEqual({ body, losses: [] });
    const { body: other } = encode({ ...request, model: 'gemini-2.5-flash' });
    expect(other['generationConfig']).toEqual({ thinkingConfig: { thinkingBudget: 8192 } });
  });
});
