/** Requests and answers as they are in real conversations, in the canonical model. The same every time. */
import type {
  ConversationRequest,
  ConversationResponse,
  ErrorInfo,
  JsonObject,
  MCPConnectOutcome,
  MCPConnectRequest,
  MCPOutcome,
  MCPRequest,
  StreamEvent,
  Tool,
} from '@bifrost/sdk';

const weatherTool: readonly Tool[] = [
  {
    type: 'function',
    name: 'get_weather',
    description: 'The weather at a place.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
];

/** A short chat. */
export function shortChat(model: string, stream: boolean): ConversationRequest {
  return {
    model,
    stream,
    messages: [
      { role: 'system', parts: [{ type: 'text', text: 'You are brief.' }] },
      { role: 'user', parts: [{ type: 'text', text: 'Where is the Bifröst? 🌈' }] },
    ],
    temperature: 0.2,
    maxOutputTokens: 200,
  };
}

/** The second turn of a chat with an image, a tool call and its result. */
export function toolChat(model: string, stream: boolean): ConversationRequest {
  return {
    model,
    stream,
    tools: weatherTool,
    toolChoice: { type: 'auto' },
    messages: [
      {
        role: 'user',
        parts: [
          { type: 'text', text: 'What is the weather in this city?' },
          { type: 'media', kind: 'image', mediaType: 'image/png', source: { type: 'base64', data: 'iVBORw0KGgo=' } },
        ],
      },
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', text: 'The image shows Reykjavík.' },
          { type: 'tool-call', id: 'call_1', name: 'get_weather', arguments: '{"city":"Reykjavík"}' },
        ],
      },
      {
        role: 'tool',
        parts: [{ type: 'tool-result', toolCallId: 'call_1', content: [{ type: 'text', text: '{"celsius":4}' }] }],
      },
    ],
  };
}

const usage = { inputTokens: 21, outputTokens: 14, totalTokens: 35 };

/** The whole answer to `shortChat`. */
export function shortAnswer(model: string): ConversationResponse {
  return {
    id: 'chatcmpl-conformance',
    model,
    createdAt: 1_760_000_000,
    candidates: [
      {
        index: 0,
        parts: [{ type: 'text', text: 'It is the bridge between Midgard and Asgard. Heimdall guards it.' }],
        finishReason: { kind: 'stop', raw: 'stop' },
      },
    ],
    usage,
  };
}

/** An answer that thinks, speaks and calls a tool. */
export function toolAnswer(model: string): ConversationResponse {
  return {
    id: 'chatcmpl-conformance-tool',
    model,
    createdAt: 1_760_000_000,
    candidates: [
      {
        index: 0,
        parts: [
          { type: 'reasoning', text: 'Look it up again.' },
          { type: 'text', text: 'One moment.' },
          { type: 'tool-call', id: 'call_2', name: 'get_weather', arguments: '{"city":"Akureyri"}' },
        ],
        finishReason: { kind: 'tool-calls', raw: 'tool_calls' },
      },
    ],
    usage: { ...usage, reasoningTokens: 5 },
  };
}

/** `toolAnswer` as a stream, word by word: every kind of event that a chat has. */
export function answerEvents(model: string): readonly StreamEvent[] {
  return [
    { type: 'response-start', id: 'chatcmpl-conformance-tool', model, createdAt: 1_760_000_000 },
    { type: 'reasoning-start', part: 'r0' },
    { type: 'reasoning-delta', part: 'r0', text: 'Look it ' },
    { type: 'reasoning-delta', part: 'r0', text: 'up again.' },
    { type: 'reasoning-end', part: 'r0' },
    { type: 'text-start', part: 't0' },
    { type: 'text-delta', part: 't0', text: 'One ' },
    { type: 'text-delta', part: 't0', text: '' },
    { type: 'text-delta', part: 't0', text: 'moment.' },
    { type: 'text-end', part: 't0' },
    { type: 'tool-call-start', part: 'c0', id: 'call_2', name: 'get_weather' },
    { type: 'tool-call-delta', part: 'c0', argumentsDelta: '{"city":' },
    { type: 'tool-call-delta', part: 'c0', argumentsDelta: '"Akureyri"}' },
    { type: 'tool-call-end', part: 'c0' },
    { type: 'usage', usage: { ...usage, reasoningTokens: 5 } },
    { type: 'finish', reason: { kind: 'tool-calls', raw: 'tool_calls' } },
  ];
}

/** What a provider says when it is overloaded: another attempt may help. */
export const overloaded: ErrorInfo = {
  statusCode: 503,
  message: 'The model is overloaded. Try again later.',
  type: 'server_error',
  origin: 'provider',
  provider: 'openai',
  model: 'gpt-conformance',
  retryAfterSeconds: 2,
};

/** What a provider says to a request that it does not understand: no attempt helps. */
export const refused: ErrorInfo = {
  statusCode: 400,
  message: 'max_tokens is too large.',
  type: 'invalid_request_error',
  code: 'invalid_value',
  param: 'max_tokens',
  origin: 'caller',
  provider: 'openai',
  model: 'gpt-conformance',
  allowFallbacks: false,
  upstreamBody: { error: { message: 'max_tokens is too large.' } },
};

/** A tool's call, then what becomes of it: well, or not. */
export const toolCall: MCPRequest = {
  client: 'files',
  method: 'tools/call',
  tool: 'read_file',
  arguments: { path: '/notes/today.md' },
};
export const toolOutcome: MCPOutcome = {
  request: toolCall,
  result: { content: [{ type: 'text', text: 'Buy bread.' }] },
  latencyMs: 12,
};
export const toolFailure: MCPOutcome = { request: toolCall, error: { ...overloaded, statusCode: 504 }, latencyMs: 30 };
/** An MCP server that is about to be connected to, then connected. */
export const connection: MCPConnectRequest = {
  client: 'files',
  connectionType: 'http',
  connectionString: 'http://127.0.0.1:9/mcp',
  headers: { authorization: 'Bearer conformance' },
};
export const connected: MCPConnectOutcome = {
  client: 'files',
  serverInfo: { name: 'files', version: '1.0.0' } satisfies JsonObject,
  capabilities: { tools: {} },
};
