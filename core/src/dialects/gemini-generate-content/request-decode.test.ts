import { InvalidRequestError } from '@bifrost/sdk';
import type { JsonObject } from '@bifrost/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { geminiGenerateContentCodec as codec } from './codec.ts';
import { geminiCountTokens } from './count-tokens.ts';
import { toJsonSchema } from './schema.ts';

const hint = { model: 'gemini-2.5-flash', stream: true };
const report = { add: (): void => undefined };
const contents = [{ role: 'user', parts: [{ text: 'hi' }] }];

describe('decodeRequest', () => {
  it.each([
    [{}, 'contents'],
    [{ contents: 'hi' }, 'contents'],
    [{ contents: [1] }, 'contents[0]'],
    [{ contents: [{ role: 7, parts: [] }] }, 'contents[0].role'],
    [{ contents: [{ parts: [{ text: 3 }] }] }, 'contents[0].parts[0].text'],
    [{ contents: [{ parts: [{ functionCall: { name: 'f', args: [] } }] }] }, 'contents[0].parts[0].functionCall.args'],
    [{ contents, systemInstruction: 'be kind' }, 'systemInstruction'],
    [{ contents, generationConfig: { temperature: 'hot' } }, 'generationConfig.temperature'],
    [{ contents, generationConfig: { stopSequences: ['a', 1] } }, 'generationConfig.stopSequences'],
    [
      { contents, generationConfig: { thinkingConfig: { includeThoughts: 'yes' } } },
      'generationConfig.thinkingConfig.includeThoughts',
    ],
    [{ contents, tools: [{ functionDeclarations: [{ name: 1 }] }] }, 'tools[0].functionDeclarations[0].name'],
  ] as readonly (readonly [JsonObject, string])[])('refuses %j and names the field %s', (body, param) => {
    const error = (() => {
      try {
        codec.decodeRequest(body, hint);
      } catch (thrown) {
        return thrown as InvalidRequestError;
      }
      return undefined;
    })();
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error?.toInfo()).toMatchObject({ statusCode: 400, code: 'BF_REQUEST_INVALID', param });
    expect(error?.message).toContain('expected');
  });

  it('wants a model, from the path or the body', () => {
    expect(() => codec.decodeRequest({ contents }, {})).toThrow(/model/);
    const request = codec.decodeRequest({ contents, model: 'models/gemini-2.5-pro' }, {});
    expect(request.model).toBe('gemini-2.5-pro');
    expect(codec.encodeRequest({ ...request, model: 'gemini-3-pro' }, { report })['model']).toBe('models/gemini-3-pro');
  });

  it('reads both spellings alike', () => {
    const camel = codec.decodeRequest(
      {
        contents: [
          { role: 'model', parts: [{ functionCall: { name: 'f', args: { some_key: 1 } }, thoughtSignature: 's' }] },
          { role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data: 'AA==' } }] },
        ],
        generationConfig: { maxOutputTokens: 5, thinkingConfig: { thinkingBudget: 0 } },
        toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f'] } },
      },
      hint,
    );
    const snake = codec.decodeRequest(
      {
        contents: [
          { role: 'model', parts: [{ function_call: { name: 'f', args: { some_key: 1 } }, thought_signature: 's' }] },
          { role: 'user', parts: [{ inline_data: { mime_type: 'image/png', data: 'AA==' } }] },
        ],
        generation_config: { max_output_tokens: 5, thinking_config: { thinking_budget: 0 } },
        tool_config: { function_calling_config: { mode: 'ANY', allowed_function_names: ['f'] } },
      },
      hint,
    );
    const withoutResidue = (value: unknown): unknown =>
      JSON.parse(JSON.stringify(value, (key, member: unknown) => (key === 'residue' ? undefined : member)));
    expect(withoutResidue(snake)).toEqual(withoutResidue(camel));
    expect(camel).toMatchObject({ maxOutputTokens: 5, toolChoice: { type: 'tool', name: 'f' }, stream: true });
  });

  it('gives calls without ids stable ones and finds the call of a result by name and order', () => {
    const callPart = (name: string): JsonObject => ({ functionCall: { name, args: {} } });
    const resultPart = (name: string): JsonObject => ({ functionResponse: { name, response: { output: 'x' } } });
    const body = {
      contents: [
        { role: 'model', parts: [callPart('a'), callPart('b'), callPart('a')] },
        { role: 'user', parts: [resultPart('b'), resultPart('a'), resultPart('a')] },
        { role: 'model', parts: [callPart('a')] },
        { role: 'user', parts: [resultPart('a'), resultPart('nobody asked')] },
      ],
    };
    const request = codec.decodeRequest(body, hint);
    const ids = request.messages.map((message) =>
      message.parts.map((part) =>
        part.type === 'tool-call' ? part.id : part.type === 'tool-result' ? part.toolCallId : '',
      ),
    );
    expect(ids).toEqual([
      ['call_0_a', 'call_1_b', 'call_2_a'],
      ['call_1_b', 'call_0_a', 'call_2_a'],
      ['call_3_a'],
      ['call_3_a', 'call_unknown_nobody_asked'],
    ]);
    expect(request.messages.map((message) => message.role)).toEqual(['assistant', 'tool', 'assistant', 'tool']);
    expect(codec.encodeRequest(request, { report })).toEqual(body);
  });

  it('keeps whatever else is in any object, at every level (property)', () => {
    const name = fc.stringMatching(/^x[A-Za-z_]{0,6}$/);
    // No API has a field of that name, and to assign it would set a prototype; the byte-exact lanes keep even this.
    const value = fc.jsonValue({ maxDepth: 2 }).filter((one) => !JSON.stringify(one).includes('"__proto__"'));
    const extra = fc.dictionary(name, value, { maxKeys: 3, noNullPrototype: true });
    const body = fc.tuple(extra, extra, extra, extra, extra, extra).map(([a, b, c, d, e, f]) => ({
      ...a,
      contents: [{ ...b, role: 'user', parts: [{ ...c, text: 'hi' }] }],
      generation_config: { ...d, temperature: 1, thinkingConfig: { ...e, thinking_budget: 10 } },
      tools: [{ function_declarations: [{ ...f, name: 'f' }] }],
    }));
    fc.assert(
      fc.property(body, (one) => {
        const wire = JSON.parse(JSON.stringify(one)) as JsonObject;
        expect(codec.encodeRequest(codec.decodeRequest(wire, hint), { report })).toEqual(wire);
      }),
      { numRuns: 200 },
    );
  });

  it('throws nothing but InvalidRequestError, whatever the body (property)', () => {
    const any = fc.jsonValue({ maxDepth: 3 });
    const body = fc.record(
      { contents: any, tools: any, toolConfig: any, generationConfig: any, systemInstruction: any },
      { requiredKeys: [], noNullPrototype: true },
    );
    fc.assert(
      fc.property(body, (one) => {
        try {
          codec.decodeRequest(one as JsonObject, hint);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidRequestError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('toJsonSchema', () => {
  it("turns Google's schema dialect into JSON Schema and keeps the order of keys", () => {
    const schema = {
      type: 'OBJECT',
      propertyOrdering: ['b', 'a'],
      properties: {
        b: { type: 'STRING', nullable: true, enum: ['x'], max_length: '5' },
        a: {
          type: 'ARRAY',
          minItems: '1',
          items: { anyOf: [{ type: 'INTEGER', format: 'int32' }, { ref: '#/defs/n' }] },
        },
        type: { type: 'NUMBER', example: 1 },
      },
      defs: { n: { type: 'NULL' } },
      required: ['b'],
    };
    expect(JSON.stringify(toJsonSchema(schema))).toBe(
      JSON.stringify({
        type: 'object',
        properties: {
          b: { type: ['string', 'null'], enum: ['x', null], maxLength: 5 },
          a: {
            type: 'array',
            minItems: 1,
            items: { anyOf: [{ type: 'integer', format: 'int32' }, { $ref: '#/defs/n' }] },
          },
          type: { type: 'number', examples: [1] },
        },
        $defs: { n: { type: 'null' } },
        required: ['b'],
      }),
    );
  });
});

describe('geminiCountTokens', () => {
  const request = codec.decodeRequest({ contents, systemInstruction: { parts: [{ text: 's' }] } }, hint);
  const foreign = {
    model: 'gemini-2.5-flash',
    stream: false,
    messages: request.messages.map(({ role, parts }) => ({ role, parts })),
  };

  it('wraps what the Gemini API takes wrapped only, and sends plain bodies to Vertex', () => {
    const wrapped = geminiCountTokens.encodeRequest(foreign, { report });
    expect(wrapped).toMatchObject({ generateContentRequest: { model: 'models/gemini-2.5-flash', contents } });
    const plain = geminiCountTokens.encodeRequest(foreign, { report, form: 'plain' });
    expect(plain).toMatchObject({ contents, systemInstruction: { parts: [{ text: 's' }] } });
    const only = geminiCountTokens.encodeRequest({ ...foreign, messages: foreign.messages.slice(1) }, { report });
    expect(only).toEqual({ contents });
  });

  it('refuses an answer without a count', () => {
    expect(() => geminiCountTokens.decodeResponse({})).toThrow(/totalTokens/);
  });
});
