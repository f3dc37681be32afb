import { describe, expect, it } from 'vitest';
import type { ConversationRequest, JsonObject, Part } from '@bifrost/sdk';
import { recordingsOfApi } from '@bifrost/testkit';
import { anthropicMessagesCodec as codec } from './codec.ts';
import { encodeRequest } from './testing/encode-request.ts';

const bodies = recordingsOfApi('anthropic.messages').flatMap((one) =>
  one.request?.body_encoding === 'json' ? [one.request.body as JsonObject] : [],
);

describe('an own request whose canonical members were changed', () => {
  it('is encoded with the change in texts, tool arguments and settings: nothing is kept raw', () => {
    let texts = 0;
    let calls = 0;
    for (const body of bodies) {
      const request = codec.decodeRequest(body, {});
      const messages = request.messages.map((message) => ({
        ...message,
        parts: message.parts.map((part): Part => {
          if (part.type === 'text') return { ...part, text: `${part.text}\u{1F600}` };
          return part.type === 'tool-call' ? { ...part, arguments: '{"changed":1}' } : part;
        }),
      }));
      const { body: encoded } = encodeRequest({
        ...request,
        messages,
        temperature: 0.125,
        model: 'other',
        maxOutputTokens: 3,
        stream: true,
      });
      expect(encoded).toMatchObject({ temperature: 0.125, model: 'other', max_tokens: 3, stream: true });
      const visit = (value: unknown): void => {
        if (Array.isArray(value)) value.forEach(visit);
        else if (typeof value === 'object' && value !== null) {
          const block = value as JsonObject;
          if (block['type'] === 'text' && typeof block['text'] === 'string') {
            texts += 1;
            expect(block['text'].endsWith('\u{1F600}')).toBe(true);
          }
          if (block['type'] === 'tool_use') {
            calls += 1;
            expect(block['input']).toEqual({ changed: 1 });
          }
        }
      };
      for (const message of encoded['messages'] as readonly JsonObject[]) {
        if (typeof message['content'] === 'string') expect(message['content'].endsWith('\u{1F600}')).toBe(true);
        else visit(message['content']);
      }
    }
    expect([texts > 200, calls > 30]).toEqual([true, true]);
  });

  it('loses a member that is taken away', () => {
    const body = {
      model: 'm',
      max_tokens: 5,
      temperature: 1,
      stop_sequences: ['x'],
      thinking: { type: 'enabled', budget_tokens: 2000 },
      messages: [{ role: 'user', content: [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } }] }],
    };
    const { temperature: _, stopSequences: __, reasoning: ___, ...request } = codec.decodeRequest(body, {});
    const messages = request.messages.map((message) => ({
      ...message,
      parts: message.parts.map((part) => ({ type: 'text', text: part.type === 'text' ? part.text : '' }) as const),
    }));
    expect(encodeRequest({ ...request, messages }).body).toEqual({
      model: 'm',
      max_tokens: 5,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }],
    });
  });
});

describe('oddly written requests of Anthropic clients come back as they were', () => {
  const base = { model: 'claude-opus-4-6', max_tokens: 64, messages: [{ role: 'user', content: 'hi' }] };
  const odd: Readonly<Record<string, JsonObject>> = {
    'nulls and empty lists': {
      ...base,
      temperature: null,
      stop_sequences: [],
      tools: [],
      system: null,
      metadata: {},
      output_config: {},
      thinking: null,
    },
    'both names of the output format': {
      ...base,
      output_format: { type: 'json_schema', schema: { b: 1, a: 2 }, extra: 1 },
      output_config: { effort: 'xhigh', format: { type: 'json_schema', schema: { c: 1 } }, task_budget: { total: 5 } },
    },
    'system messages first and in the middle': {
      ...base,
      system: [{ type: 'text', text: 's', cache_control: { type: 'ephemeral', ttl: '1h', scope: 'org' } }],
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'one' }] },
        { role: 'system', content: 'two' },
        { role: 'user', content: 'hi' },
        { role: 'system', content: 'three' },
        { role: 'user', content: [] },
        { role: 'user', content: '' },
      ],
    },
    'choices, thinking and members of tomorrow': {
      ...base,
      tool_choice: { type: 'tool', name: 'f', disable_parallel_tool_use: false, later: true },
      tools: [
        { type: 'custom', name: 'f', input_schema: { type: 'object', z: 1, a: 2 }, strict: false, defer_loading: true },
        {
          name: 'g',
          type: null,
          description: 'd',
          input_schema: { type: 'object' },
          cache_control: { type: 'ephemeral', ttl: '5m' },
        },
        { type: 'mcp_toolset', mcp_server_name: 's' },
        { type: 'bash_20250124', name: 'bash' },
      ],
      thinking: { type: 'between_tools', later: 1 },
      container: { skills: [] },
      context_management: { edits: [] },
      mcp_servers: [{ type: 'url', url: 'https://x', name: 's' }],
      betas: ['a'],
      cache_control: { type: 'ephemeral' },
      service_tier: 'standard_only',
      metadata: { user_id: 'u', later: 1 },
    },
    'blocks of every kind': {
      ...base,
      thinking: { type: 'adaptive', display: 'omitted', later: 1 },
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'file', file_id: 'file_1' }, cache_control: null },
            { type: 'image', source: { type: 'base64', media_type: 'image/svg+xml', data: 'AA==' } },
            { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'c' }] }, title: null },
            {
              type: 'document',
              source: { type: 'text', media_type: 'text/plain', data: 'd' },
              title: 't',
              context: 'c',
              citations: { enabled: true },
            },
            { type: 'document', source: { type: 'url', url: 'https://x/y.pdf' } },
            { type: 'search_result', source: 's', title: 't', content: [{ type: 'text', text: 'x' }] },
            { type: 'container_upload', file_id: 'file_2' },
            { type: 'text', text: '' },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'a', signature: 'sig' },
            { type: 'redacted_thinking', data: 'x', later: 1 },
            { type: 'compaction', content: 'sum', encrypted_content: 'e' },
            { type: 'mcp_tool_use', id: 'm', name: 'n', server_name: 's', input: {} },
            { type: 'mcp_tool_result', tool_use_id: 'm', is_error: false, content: 'plain' },
            {
              type: 'tool_use',
              id: 'search-1',
              name: 'f',
              input: { b: [1, { a: null }], a: 1 },
              caller: { type: 'direct' },
            },
            {
              type: 'text',
              text: 'x',
              citations: [
                {
                  type: 'char_location',
                  cited_text: 'c',
                  document_index: 0,
                  document_title: null,
                  start_char_index: 1,
                  end_char_index: 2,
                  file_id: 'f',
                },
                {
                  type: 'content_block_location',
                  cited_text: 'c',
                  document_index: 0,
                  document_title: 'D',
                  start_block_index: 1,
                  end_block_index: 2,
                },
                {
                  type: 'search_result_location',
                  cited_text: 'c',
                  title: 'T',
                  source: 's',
                  search_result_index: 0,
                  start_block_index: 0,
                  end_block_index: 1,
                },
                {
                  type: 'web_search_result_location',
                  cited_text: 'c',
                  title: null,
                  url: 'https://x',
                  encrypted_index: 'e',
                },
              ],
            },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'search-1' },
            { type: 'tool_result', tool_use_id: 'a', content: '', is_error: true },
            { type: 'tool_result', tool_use_id: 'b', content: [], cache_control: { type: 'ephemeral' } },
            {
              type: 'tool_result',
              tool_use_id: 'c',
              content: [
                { type: 'tool_reference', tool_name: 'f' },
                { type: 'text', text: 't' },
                { type: 'image', source: { type: 'url', url: 'https://x' } },
              ],
            },
            { type: 'tool_result', tool_use_id: 'd', content: 'text', later: 1 },
          ],
        },
      ],
    },
  };
  it.each(Object.entries(odd))('%s', (_name, body) => {
    const { body: encoded, losses } = encodeRequest(
      JSON.parse(JSON.stringify(codec.decodeRequest(body, {}))) as ConversationRequest,
    );
    expect(encoded).toEqual(body);
    expect(losses).toEqual([]);
  });

  it('with the key order of schemas and arguments', () => {
    const input = { zeta: 1, alpha: { y: 1, x: 2 } };
    const body = {
      ...base,
      tools: [{ name: 'f', input_schema: { type: 'object', properties: input } }],
      messages: [{ role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input }] }],
    };
    const text = JSON.stringify(encodeRequest(codec.decodeRequest(body, {})).body);
    expect(text.split(JSON.stringify(input)).length).toBe(3);
  });
});
