import type { ConversationRequest, JsonObject, Message } from '@bifrost/sdk';
import { GatewayError } from '@bifrost/sdk';
import { recordingsOfApi } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import type { DialectQuirks, Loss } from '../codec.ts';
import { packToolCallId, tagOpaque } from '../provenance.ts';
import { decodeRequest } from './request-decode.ts';
import { encodeRequest } from './request-encode.ts';

function encode(request: ConversationRequest, quirks?: DialectQuirks): { body: JsonObject; losses: Loss[] } {
  const losses: Loss[] = [];
  const report = { add: (loss: Loss) => losses.push(loss) };
  return { body: encodeRequest(request, { report, ...(quirks === undefined ? {} : { quirks }) }), losses };
}

const reading = { model: 'm', input: 'hello' };

function withInput(...input: readonly JsonObject[]): JsonObject {
  return { model: 'm', input };
}

describe('requests are rebuilt from canonical fields', () => {
  it('shows a changed text, tool argument and setting in every recording that has one', () => {
    const counts = { texts: 0, calls: 0 };
    for (const recording of recordingsOfApi('openai.responses')) {
      if (recording.request?.body_encoding !== 'json') continue;
      const request = decodeRequest(recording.request.body as JsonObject, {});
      const change = (part: Message['parts'][number]): Message['parts'][number] => {
        if (part.type === 'text') {
          counts.texts += 1;
          return { ...part, text: 'CHANGED TEXT' };
        }
        if (part.type === 'tool-call') {
          counts.calls += 1;
          return { ...part, arguments: 'CHANGED ARGUMENTS' };
        }
        return part;
      };
      const messages = request.messages.map((message) => ({ ...message, parts: message.parts.map(change) }));
      const { body } = encode({ ...request, model: 'changed', temperature: 0.125, messages });
      expect(body).toMatchObject({ model: 'changed', temperature: 0.125 });
      const text = JSON.stringify([body['instructions'], body['input']]);
      for (const message of request.messages) {
        for (const part of message.parts) {
          if (part.type === 'text' && part.text.length > 12) expect(text).not.toContain(JSON.stringify(part.text));
          if (part.type === 'tool-call' && part.arguments.length > 4) {
            expect(text).not.toContain(JSON.stringify(part.arguments));
          }
        }
      }
    }
    expect(counts).toEqual({
      texts: expect.toSatisfy((n: number) => n > 400) as number,
      calls: expect.toSatisfy((n: number) => n > 70) as number,
    });
  });

  it('keeps a plain string input a string, and makes it a list when a message is added', () => {
    const request = decodeRequest(reading, {});
    expect(encode(request).body).toEqual(reading);
    const added: Message = { role: 'user', parts: [{ type: 'text', text: 'and you?' }] };
    expect(encode({ ...request, messages: [...request.messages, added] }).body['input']).toEqual([
      { role: 'user', content: 'hello' },
      { role: 'user', content: 'and you?' },
    ]);
  });

  it('brings instructions back to instructions, other system messages to the input', () => {
    const body = {
      ...withInput({ role: 'developer', content: 'B' }, { role: 'user', content: 'C' }),
      instructions: 'A',
    };
    const request = decodeRequest(body, {});
    expect(request.messages.map(({ role }) => role)).toEqual(['system', 'developer', 'user']);
    expect(encode(request).body).toEqual(body);
  });

  it('puts reasoning, text and parallel calls of one turn into one message', () => {
    const body = withInput(
      { role: 'user', content: 'weather?' },
      {
        type: 'reasoning',
        id: 'rs_1',
        summary: [
          { type: 'summary_text', text: 'a' },
          { type: 'summary_text', text: 'b' },
        ],
        encrypted_content: 'gAAA',
      },
      {
        type: 'message',
        id: 'msg_1',
        status: 'completed',
        role: 'assistant',
        phase: 'commentary',
        content: [
          { type: 'output_text', text: 'one', annotations: [] },
          { type: 'refusal', refusal: 'no' },
        ],
      },
      { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'f', arguments: '{}', status: 'completed' },
      { type: 'function_call', call_id: 'c2', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output: '1' },
      { type: 'function_call_output', call_id: 'c2', output: [{ type: 'input_text', text: '2' }] },
    );
    const request = decodeRequest(body, {});
    expect(request.messages.map((message) => [message.role, message.parts.map(({ type }) => type)])).toEqual([
      ['user', ['text']],
      ['assistant', ['reasoning', 'reasoning', 'text', 'refusal', 'tool-call', 'tool-call']],
      ['tool', ['tool-result', 'tool-result']],
    ]);
    expect(encode(request)).toEqual({ body, losses: [] });
  });

  it('keeps id and bytes of encrypted reasoning with store: false', () => {
    const item = { type: 'reasoning', id: 'rs_9', summary: [], encrypted_content: 'gAAAA+/=\u0000é' };
    const body = { ...withInput(item, { role: 'user', content: 'go on' }), store: false };
    const request = decodeRequest(body, {});
    expect(request.messages[0]?.parts[0]).toMatchObject({
      id: 'rs_9',
      encrypted: item.encrypted_content,
      origin: 'openai-responses',
    });
    expect(encode(request).body).toEqual(body);
  });

  it('names what only the API knows by its own names', () => {
    const body = {
      ...withInput({ type: 'item_reference', id: 'msg_1' }),
      previous_response_id: 'resp_1',
      truncation: 'auto',
      store: true,
    };
    const request = decodeRequest(body, {});
    expect(request.residue?.fields).toEqual({ previous_response_id: 'resp_1', truncation: 'auto', store: true });
    expect(request.messages[0]?.parts).toEqual([
      { type: 'opaque', dialect: 'openai-responses', value: { type: 'item_reference', id: 'msg_1' } },
    ]);
    expect(encode(request)).toEqual({ body, losses: [] });
  });
});

describe('values of other dialects in a client of this one', () => {
  it('finds the signature in a call id and the maker of encrypted content again', () => {
    const encrypted = tagOpaque({ dialect: 'anthropic-messages', kind: 'signature', value: 'EqQB' });
    const body = withInput(
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'hm' }], encrypted_content: encrypted },
      { type: 'function_call', call_id: packToolCallId('c1', 'sig'), name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: packToolCallId('c1', 'sig'), output: 'x' },
    );
    const request = decodeRequest(body, {});
    expect(request.messages[0]?.parts[0]).toMatchObject({
      text: 'hm',
      signature: 'EqQB',
      origin: 'anthropic-messages',
    });
    expect(request.messages[0]?.parts[1]).toMatchObject({ id: 'c1', signature: 'sig' });
    expect(request.messages[1]?.parts[0]).toMatchObject({ toolCallId: 'c1' });
    const { body: sent, losses } = encode(request);
    expect(JSON.stringify(sent)).not.toMatch(/EqQB|__bfsig_|eyJiaWZyb3N0/);
    expect(losses.map(({ field }) => field)).toEqual([
      'messages[0].content[0].encrypted_content',
      'messages[0].content[0]',
      'messages[0].content[1].signature',
    ]);
  });

  const foreign: ConversationRequest = {
    model: 'm',
    stream: false,
    messages: [
      { role: 'system', parts: [{ type: 'text', text: 'Be brief.' }] },
      { role: 'user', parts: [{ type: 'text', text: 'hi' }] },
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', text: 'foreign', signature: 's', origin: 'anthropic-messages' },
          { type: 'reasoning', text: 'own', encrypted: 'gAAA', origin: 'openai-responses' },
          { type: 'text', text: 'calling' },
          { type: 'tool-call', id: 'c1', name: 'f', arguments: '{}' },
        ],
      },
      {
        role: 'user',
        parts: [
          { type: 'tool-result', toolCallId: 'c1', content: [], isError: true },
          { type: 'text', text: 'next' },
        ],
      },
    ],
    tools: [{ type: 'function', name: 'f', parameters: { type: 'object' } }],
    stopSequences: ['x'],
    topK: 3,
    seed: 1,
    candidateCount: 2,
    frequencyPenalty: 1,
    presencePenalty: 1,
  };

  it('become items, with everything unsayable reported', () => {
    const { body, losses } = encode(foreign);
    expect(body).toEqual({
      model: 'm',
      instructions: 'Be brief.',
      input: [
        { role: 'user', content: 'hi' },
        {
          type: 'reasoning',
          summary: [],
          content: [{ type: 'reasoning_text', text: 'own' }],
          encrypted_content: 'gAAA',
        },
        { role: 'assistant', content: 'calling' },
        { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c1', output: '' },
        { role: 'user', content: 'next' },
      ],
      tools: [{ type: 'function', name: 'f', parameters: { type: 'object' }, strict: false }],
      store: false,
    });
    expect(losses.map(({ field }) => field).toSorted()).toEqual([
      'frequency_penalty',
      'messages[2].content[0]',
      'messages[2].content[0].encrypted_content',
      'messages[3].content[0].is_error',
      'n',
      'presence_penalty',
      'seed',
      'stop',
      'top_k',
    ]);
  });

  it('keep plain reasoning where the provider takes it, and lose the fields that it refuses', () => {
    const { body, losses } = encode(foreign, { reasoningField: 'reasoning_content', unsupportedFields: ['store'] });
    expect(body['input']).toContainEqual({
      type: 'reasoning',
      summary: [],
      content: [{ type: 'reasoning_text', text: 'foreign' }],
    });
    expect(body).not.toHaveProperty('store');
    expect(losses).toContainEqual(expect.objectContaining({ action: 'dropped', field: 'store' }));
  });
});

describe('requests that the API would refuse', () => {
  it.each<[string, JsonObject, string, RegExp]>([
    ['no input', { model: 'm' }, 'input', /`input` is nothing; expected a string or a list of items/],
    ['a number as input', { model: 'm', input: 5 }, 'input', /is a number; expected a string or a list/],
    ['a text as temperature', { ...reading, temperature: 'hot' }, 'temperature', /is a string; expected a number/],
    ['a text among the items', { model: 'm', input: ['hi'] }, 'input[0]', /is a string; expected an object/],
    ['an item without a type', withInput({ text: 'hi' }), 'input[0].type', /is nothing/],
    [
      'a message without content',
      withInput({ role: 'user' }),
      'input[0].content',
      /a string or a list of content parts/,
    ],
    [
      'a call without its id',
      withInput({ type: 'function_call', name: 'f', arguments: '{}' }),
      'input[0].call_id',
      /a string/,
    ],
    [
      'arguments as an object',
      withInput({ type: 'function_call', call_id: 'c', name: 'f', arguments: {} }),
      'input[0].arguments',
      /is an object; expected a string/,
    ],
    [
      'an output as a number',
      withInput({ type: 'function_call_output', call_id: 'c', output: 1 }),
      'input[0].output',
      /is a number/,
    ],
    [
      'a content part without text',
      withInput({ role: 'user', content: [{ type: 'input_text' }] }),
      'input[0].content[0].text',
      /expected a string/,
    ],
    ['a tool without a name', { ...reading, tools: [{ type: 'function' }] }, 'tools[0].name', /expected a string/],
  ])('%s', (_, body, param, message) => {
    let thrown: unknown;
    try {
      decodeRequest(body, {});
    } catch (error) {
      thrown = error;
    }
    expect(GatewayError.isInstance(thrown)).toBe(true);
    expect((thrown as GatewayError).toInfo()).toMatchObject({
      statusCode: 400,
      code: 'BF_REQUEST_INVALID',
      param,
      origin: 'caller',
    });
    expect((thrown as GatewayError).message).toMatch(message);
  });

  it.each(['previous_response_id', 'conversation', 'prompt'])('takes no input where %s stands', (key) => {
    const body = { model: 'm', [key]: key === 'prompt' ? { id: 'pmpt_1' } : 'id_1' };
    expect(encode(decodeRequest(body, {})).body).toEqual(body);
  });
});
