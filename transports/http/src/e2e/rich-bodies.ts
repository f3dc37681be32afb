import type { JsonObject } from '@bifrost/sdk';

const png = 'data:image/png;base64,iVBORw0KGgo=';
const schema: JsonObject = { type: 'object', properties: { a: { type: 'string' } } };

/** One request for each route that says as much as its dialect has words for; MODEL stands for the model. */
export const richBodies: Readonly<Record<string, JsonObject>> = {
  '/v1/chat/completions': {
    model: 'MODEL',
    max_tokens: 5,
    temperature: 1,
    stop: ['x'],
    n: 1,
    logprobs: true,
    top_logprobs: 2,
    logit_bias: { 5: 1 },
    reasoning_effort: 'low',
    parallel_tool_calls: true,
    metadata: { a: 'b' },
    prediction: { type: 'content', content: 'x' },
    response_format: { type: 'json_schema', json_schema: { name: 'a', schema, strict: true } },
    tools: [{ type: 'function', function: { name: 'f', description: 'd', parameters: schema, strict: true } }],
    tool_choice: { type: 'function', function: { name: 'f' } },
    messages: [
      { role: 'system', content: 's' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'image_url', image_url: { url: png, detail: 'low' } },
          { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
          { type: 'file', file: { file_data: 'data:application/pdf;base64,AA==', filename: 'a.pdf' } },
        ],
      },
      {
        role: 'assistant',
        content: 'x',
        refusal: null,
        reasoning_details: [{ type: 'reasoning.text', text: 't', signature: 's', index: 0 }],
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'r' },
    ],
  },
  '/v1/responses': {
    model: 'MODEL',
    max_output_tokens: 5,
    instructions: 'i',
    include: ['reasoning.encrypted_content'],
    reasoning: { effort: 'low', summary: 'auto' },
    text: { format: { type: 'json_schema', name: 'n', schema }, verbosity: 'low' },
    tools: [{ type: 'function', name: 'f', parameters: schema, strict: true }, { type: 'web_search' }],
    tool_choice: { type: 'function', name: 'f' },
    input: [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'a' },
          { type: 'input_image', image_url: png },
          { type: 'input_file', file_data: 'AA==', filename: 'a.pdf' },
        ],
      },
      { type: 'reasoning', id: 'rs', summary: [{ type: 'summary_text', text: 's' }], encrypted_content: 'E' },
      { type: 'function_call', id: 'fc', call_id: 'c1', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output: 'o' },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 't', annotations: [] }] },
    ],
  },
  '/anthropic/v1/messages': {
    model: 'MODEL',
    max_tokens: 2048,
    top_k: 5,
    stop_sequences: ['x'],
    system: [{ type: 'text', text: 's', cache_control: { type: 'ephemeral' } }],
    metadata: { user_id: 'u' },
    thinking: { type: 'enabled', budget_tokens: 1024 },
    tools: [
      { name: 'f', description: 'd', input_schema: schema },
      { type: 'web_search_20250305', name: 'web_search', max_uses: 1 },
    ],
    tool_choice: { type: 'tool', name: 'f', disable_parallel_tool_use: true },
    output_config: { effort: 'low' },
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } },
          { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AA==' }, title: 't' },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 't', signature: 's' },
          { type: 'redacted_thinking', data: 'd' },
          { type: 'text', text: 'x', citations: [] },
          { type: 'tool_use', id: 'c1', name: 'f', input: { a: 1 } },
        ],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content: [{ type: 'text', text: 'r' }] }] },
    ],
  },
  '/genai/v1beta/models/MODEL:generateContent': {
    systemInstruction: { parts: [{ text: 's' }] },
    generationConfig: {
      maxOutputTokens: 5,
      stopSequences: ['x'],
      responseMimeType: 'application/json',
      responseSchema: { type: 'OBJECT' },
      thinkingConfig: { thinkingBudget: 5, includeThoughts: true },
    },
    tools: [{ functionDeclarations: [{ name: 'f', parameters: { type: 'OBJECT' } }] }, { googleSearch: {} }],
    toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f'] } },
    safetySettings: [{ category: 'a', threshold: 'b' }],
    contents: [
      {
        role: 'user',
        parts: [
          { text: 'a' },
          { inlineData: { mimeType: 'image/png', data: 'AA==' } },
          { fileData: { mimeType: 'a/b', fileUri: 'gs://x' } },
        ],
      },
      {
        role: 'model',
        parts: [
          { text: 't', thought: true, thoughtSignature: 's' },
          { functionCall: { name: 'f', args: { a: 1 }, id: 'c' }, thoughtSignature: 'q' },
        ],
      },
      { role: 'user', parts: [{ functionResponse: { name: 'f', response: { r: 1 }, id: 'c' } }] },
    ],
  },
  '/v1/embeddings': { model: 'MODEL', input: ['a', 'b'], encoding_format: 'float', dimensions: 5, user: 'u' },
  '/v1/completions': { model: 'MODEL', prompt: 'x', max_tokens: 5, stop: ['x'], logprobs: 1, suffix: 's', echo: true },
  '/anthropic/v1/messages/count_tokens': {
    model: 'MODEL',
    system: 's',
    tools: [],
    messages: [{ role: 'user', content: 'x' }],
  },
};
