import { describe, expect, it } from 'vitest';
import type { JsonObject } from '@bifrost/sdk';
import { packToolCallId, tagOpaque } from '../provenance.ts';
import { anthropicMessagesCodec as codec } from './codec.ts';
import { encodeRequest } from './testing/encode-request.ts';

describe('opaque values that Anthropic clients carry for other dialects', () => {
  const messages = [
    {
      role: 'assistant',
      content: [
        {
          type: 'thinking',
          thinking: 'hm',
          signature: tagOpaque({ dialect: 'openai-responses', kind: 'encrypted', value: 'enc' }),
        },
        {
          type: 'redacted_thinking',
          data: tagOpaque({ dialect: 'gemini-generate-content', kind: 'signature', value: 'sig' }),
        },
        { type: 'tool_use', id: packToolCallId('call_1', 'thought'), name: 'f', input: {} },
      ],
    },
    {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: packToolCallId('call_1', 'thought'), content: 'r' }],
    },
  ];
  const request = codec.decodeRequest({ model: 'm', max_tokens: 9, messages }, {});

  it('are read as what they are', () => {
    expect(request.messages[0]?.parts).toEqual([
      { type: 'reasoning', text: 'hm', encrypted: 'enc', origin: 'openai-responses' },
      { type: 'reasoning', text: '', signature: 'sig', origin: 'gemini-generate-content' },
      { type: 'tool-call', id: 'call_1', signature: 'thought', name: 'f', arguments: '{}' },
    ]);
    expect(request.messages[1]?.parts).toMatchObject([{ toolCallId: 'call_1' }]);
  });

  it('leave no empty turn behind when they were all that a turn said', () => {
    const content = [{ type: 'thinking', thinking: 'hm', signature: '' }];
    const turns = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content },
      { role: 'user', content: 'b' },
    ];
    const { body, fields } = encodeRequest(codec.decodeRequest({ model: 'm', max_tokens: 9, messages: turns }, {}));
    expect(body['messages']).toEqual([turns[0], turns[2]]);
    expect(fields).toEqual(['dropped messages[1].content[0]']);
  });

  it('do not reach Anthropic, and that is reported', () => {
    const { body, fields } = encodeRequest(request);
    expect(JSON.stringify(body)).not.toContain('eyJiaWZyb3N0');
    expect((body['messages'] as readonly JsonObject[])[0]?.['content']).toEqual([
      { type: 'tool_use', id: 'call_1', name: 'f', input: {} },
    ]);
    expect(fields).toHaveLength(3);
  });
});
