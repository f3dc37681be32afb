import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConversationRequest, JsonObject, Part } from '@bifrost/sdk';
import { encodeRequest, exampleTool, foreignRequest, userMessage } from './testing/encode-request.ts';
import { defaultMaxTokens } from './thinking.ts';
import { restoreToolCallId, sanitizeToolCallId } from './tool-call-id.ts';

describe('requests of other dialects', () => {
  it('have their instructions lifted, a later one put into the turn', () => {
    const { body, fields } = encodeRequest(
      foreignRequest([
        { role: 'system', parts: [{ type: 'text', text: 'one' }] },
        { role: 'developer', parts: [{ type: 'text', text: 'two' }] },
        userMessage('hi'),
        { role: 'system', parts: [{ type: 'text', text: 'later' }] },
        { role: 'assistant', parts: [{ type: 'text', text: 'yes ' }] },
      ]),
    );
    expect(body).toEqual({
      model: 'claude-sonnet-4-5',
      max_tokens: defaultMaxTokens,
      system: [
        { type: 'text', text: 'one' },
        { type: 'text', text: 'two' },
      ],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'hi' },
            { type: 'text', text: 'later' },
          ],
        },
        { role: 'assistant', content: 'yes' },
      ],
    });
    expect(fields).toEqual(['changed messages[3].role', 'changed messages[4].content']);
  });

  it('of instructions only become a turn', () => {
    const { body, fields } = encodeRequest(foreignRequest([{ role: 'system', parts: [{ type: 'text', text: 'do' }] }]));
    expect(body).toMatchObject({ messages: [{ role: 'user', content: 'do' }] });
    expect(body['system']).toBeUndefined();
    expect(fields).toEqual(['changed messages[0].role']);
  });

  it('have turns merged, tool results first, ids made acceptable, empty texts left out', () => {
    const { body, losses } = encodeRequest(
      foreignRequest(
        [
          userMessage('a'),
          userMessage('b', ''),
          {
            role: 'assistant',
            parts: [
              { type: 'text', text: '' },
              { type: 'tool-call', id: 'call|1', name: 'f', arguments: '{"a":1}' },
              { type: 'tool-call', id: 'ok_2', name: 'f', arguments: '' },
            ],
          },
          userMessage('meanwhile'),
          {
            role: 'tool',
            parts: [{ type: 'tool-result', toolCallId: 'call|1', content: [{ type: 'text', text: 'r1' }] }],
          },
          {
            role: 'tool',
            parts: [{ type: 'tool-result', toolCallId: 'ok_2', content: [{ type: 'text', text: '' }], isError: true }],
          },
        ],
        { tools: [exampleTool] },
      ),
    );
    const id = sanitizeToolCallId('call|1');
    expect(id).toMatch(/^[a-zA-Z0-9_-]+$/);
    expect(body['messages']).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id, name: 'f', input: { a: 1 } },
          { type: 'tool_use', id: 'ok_2', name: 'f', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: id, content: 'r1' },
          { type: 'tool_result', tool_use_id: 'ok_2', is_error: true },
          { type: 'text', text: 'meanwhile' },
        ],
      },
    ]);
    expect(losses).toEqual([]);
  });

  it('map ids into the allowed set, injectively and reversibly', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (left, right) => {
        expect(sanitizeToolCallId(left)).toMatch(/^[a-zA-Z0-9_-]+$/);
        expect(restoreToolCallId(sanitizeToolCallId(left))).toBe(left);
        if (left !== right) expect(sanitizeToolCallId(left)).not.toBe(sanitizeToolCallId(right));
      }),
    );
  });

  it('report every setting that Anthropic does not have', () => {
    const { body, fields } = encodeRequest(
      foreignRequest([userMessage('a')], {
        frequencyPenalty: 1,
        presencePenalty: 1,
        seed: 7,
        logprobs: true,
        topLogprobs: 2,
        candidateCount: 2,
        metadata: { a: 'b' },
        modalities: ['text', 'audio'],
        serviceTier: 'flex',
        temperature: 1.5,
        stopSequences: ['\n', 'END'],
        userId: 'u',
        residue: { dialect: 'openai-chat', fields: { logit_bias: { 1: 2 } }, form: { n: 1 } },
      }),
    );
    expect(body).toEqual({
      model: 'claude-sonnet-4-5',
      max_tokens: defaultMaxTokens,
      messages: [{ role: 'user', content: 'a' }],
      temperature: 1,
      stop_sequences: ['END'],
      metadata: { user_id: 'u' },
    });
    expect(fields.toSorted()).toEqual(
      [
        'changed temperature',
        'dropped frequency_penalty',
        'dropped logit_bias',
        'dropped logprobs',
        'dropped metadata',
        'dropped modalities',
        'dropped n',
        'dropped presence_penalty',
        'dropped seed',
        'dropped service_tier',
        'dropped stop',
        'dropped top_logprobs',
      ].toSorted(),
    );
  });

  it('choose tools in Anthropic words', () => {
    const choose = (more: Partial<ConversationRequest>) =>
      encodeRequest(
        foreignRequest([userMessage('a')], { tools: [exampleTool, { ...exampleTool, name: 'g' }], ...more }),
      );
    expect(choose({ toolChoice: { type: 'required' } }).body['tool_choice']).toEqual({ type: 'any' });
    expect(choose({ toolChoice: { type: 'none' }, isParallelToolCallsAllowed: false }).body['tool_choice']).toEqual({
      type: 'none',
    });
    expect(choose({ isParallelToolCallsAllowed: false }).body['tool_choice']).toEqual({
      type: 'auto',
      disable_parallel_tool_use: true,
    });
    expect(choose({ isParallelToolCallsAllowed: true }).body['tool_choice']).toBeUndefined();
    expect(choose({ toolChoice: { type: 'tool', name: 'f' } }).body['tool_choice']).toEqual({
      type: 'tool',
      name: 'f',
    });
    const allowed = choose({ toolChoice: { type: 'allowed', names: ['g'], mode: 'required' } });
    expect(allowed.body['tool_choice']).toEqual({ type: 'any' });
    expect((allowed.body['tools'] as readonly JsonObject[]).map((one) => one['name'])).toEqual(['g']);
    expect(allowed.fields).toEqual(['dropped tools[0]', 'changed tool_choice']);
    const none = encodeRequest(
      foreignRequest([userMessage('a')], {
        toolChoice: { type: 'required' },
        tools: [{ type: 'server', dialect: 'openai-responses', name: 'web_search', value: {} }],
      }),
    );
    expect(none.body['tools']).toBeUndefined();
    expect(none.fields).toEqual(['dropped tools[0]', 'dropped tool_choice']);
  });

  it('ask for JSON by schema as the recordings do', () => {
    const schema = { type: 'object', properties: { b: {}, a: {} } };
    const { body, fields } = encodeRequest(
      foreignRequest([userMessage('a')], { responseFormat: { type: 'json-schema', name: 'n', schema, strict: true } }),
    );
    expect(body['output_config']).toEqual({ format: { type: 'json_schema', schema } });
    expect(fields).toEqual(['changed response_format']);
    expect(encodeRequest(foreignRequest([userMessage('a')], { responseFormat: { type: 'json' } })).fields).toEqual([
      'dropped response_format',
    ]);
  });

  it('send media as Anthropic can have them', () => {
    const media = (part: Omit<Extract<Part, { type: 'media' }>, 'type'>) => {
      const { body, fields } = encodeRequest(foreignRequest([userMessage({ type: 'media', ...part }, 'x')]));
      const content = (body['messages'] as readonly { content: readonly JsonObject[] }[])[0]?.content;
      return fields.length === 0 && Array.isArray(content) ? (content[0] as JsonObject) : fields;
    };
    const source = (value: unknown) => expect.objectContaining({ source: value }) as unknown;
    expect(media({ kind: 'image', source: { type: 'url', url: 'https://x/y.png' } })).toEqual(
      source({ type: 'url', url: 'https://x/y.png' }),
    );
    expect(media({ kind: 'image', source: { type: 'url', url: 'data:image/gif;base64,R0lG' } })).toEqual(
      source({ type: 'base64', media_type: 'image/gif', data: 'R0lG' }),
    );
    expect(media({ kind: 'image', source: { type: 'base64', data: '/9j/AA' } })).toEqual(
      source({ type: 'base64', media_type: 'image/jpeg', data: '/9j/AA' }),
    );
    expect(
      media({
        kind: 'file',
        filename: 'a.pdf',
        mediaType: 'application/pdf',
        source: { type: 'base64', data: 'JVBERi' },
      }),
    ).toEqual({
      type: 'document',
      title: 'a.pdf',
      source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi' },
    });
    expect(
      media({
        kind: 'file',
        mediaType: 'text/csv',
        source: { type: 'base64', data: Buffer.from('a,b').toString('base64') },
      }),
    ).toEqual(source({ type: 'text', media_type: 'text/plain', data: 'a,b' }));
    expect(media({ kind: 'file', source: { type: 'file-id', fileId: 'file_011' } })).toEqual(
      source({ type: 'file', file_id: 'file_011' }),
    );
    expect(media({ kind: 'file', source: { type: 'file-id', fileId: 'file-abc' } })).toEqual([
      'dropped messages[0].content[0]',
    ]);
    expect(media({ kind: 'image', source: { type: 'url', url: 'gs://b/o' } })).toEqual([
      'dropped messages[0].content[0]',
    ]);
    expect(media({ kind: 'audio', source: { type: 'base64', data: 'AA' } })).toEqual([
      'dropped messages[0].content[0]',
    ]);
    expect(media({ kind: 'image', detail: 'high', source: { type: 'url', url: 'https://x' } })).toEqual([
      'dropped messages[0].content[0].detail',
    ]);
  });

  it('send thinking that Anthropic signed and report all other', () => {
    const reasoning = { type: 'reasoning', text: 'hm' } as const;
    const { body, fields } = encodeRequest(
      foreignRequest([
        userMessage('a'),
        {
          role: 'assistant',
          parts: [
            { ...reasoning, signature: 's', origin: 'anthropic-messages' },
            { ...reasoning, text: '', encrypted: 'e', origin: 'anthropic-messages' },
            reasoning,
            { ...reasoning, signature: 'g', origin: 'gemini-generate-content' },
            { ...reasoning, signature: 'unknown' },
            { type: 'tool-call', id: 'a', name: 'f', arguments: '{}', signature: 'g' },
          ],
        },
      ]),
    );
    expect((body['messages'] as readonly JsonObject[])[1]?.['content']).toEqual([
      { type: 'thinking', thinking: 'hm', signature: 's' },
      { type: 'redacted_thinking', data: 'e' },
      { type: 'tool_use', id: 'a', name: 'f', input: {} },
    ]);
    expect(fields).toEqual([
      'dropped messages[1].content[2]',
      'dropped messages[1].content[3]',
      'dropped messages[1].content[4]',
      'dropped messages[1].content[5].signature',
    ]);
  });
});
