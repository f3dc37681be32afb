/** The official SDKs, unmodified but for their base URL, each telling what it saw of an answer. */
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import type { AnswerFacts } from './recorded-facts.ts';

export interface SdkClient {
  readonly name: string;
  /** Streams an answer with the SDK's own helper and reads its final object. */
  stream(gateway: string, model: string): Promise<AnswerFacts>;
  /** Asks for a whole answer. */
  complete(gateway: string, model: string): Promise<AnswerFacts>;
}

const question = 'What is the weather in Paris, and what is 12 times 12?';
const toolName = 'get_weather';
const toolSchema = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const parse = (text: string): unknown => (text === '' ? {} : JSON.parse(text));
const openaiAt = (gateway: string): OpenAI =>
  new OpenAI({ apiKey: 'sk-dummy', baseURL: `${gateway}/openai/v1`, maxRetries: 0 });

type Chat = OpenAI.Chat.ChatCompletion;

function chatFacts(completion: Chat, reasoning: string): AnswerFacts {
  const choice = completion.choices[0];
  const calls = choice?.message.tool_calls ?? [];
  return {
    text: choice?.message.content ?? '',
    reasoning,
    toolCalls: calls.map((call) =>
      call.type === 'function'
        ? { name: call.function.name, arguments: parse(call.function.arguments) }
        : { name: call.custom.name, arguments: call.custom.input },
    ),
    inputTokens: completion.usage?.prompt_tokens,
    outputTokens: completion.usage?.completion_tokens,
    finish:
      choice?.finish_reason === 'tool_calls' ? 'tool-calls' : choice?.finish_reason === 'length' ? 'length' : 'stop',
  };
}

/** Reasoning is no field of OpenAI's own chat API: compatible providers send it under either of two names. */
interface ReasoningFields {
  readonly reasoning?: string | null;
  readonly reasoning_content?: string | null;
}
const reasoningOf = (fields: object | undefined): string => {
  const { reasoning, reasoning_content: content } = (fields ?? {}) as ReasoningFields;
  return reasoning ?? content ?? '';
};

const chat: SdkClient = {
  name: 'openai chat',
  async stream(gateway, model) {
    const stream = openaiAt(gateway).chat.completions.stream({
      model,
      messages: [{ role: 'user', content: question }],
      tools: [{ type: 'function', function: { name: toolName, parameters: toolSchema } }],
      stream_options: { include_usage: true },
    });
    let reasoning = '';
    stream.on('chunk', (chunk) => (reasoning += reasoningOf(chunk.choices[0]?.delta)));
    return chatFacts(await stream.finalChatCompletion(), reasoning);
  },
  async complete(gateway, model) {
    const completion = await openaiAt(gateway).chat.completions.create({
      model,
      messages: [{ role: 'user', content: question }],
    });
    return chatFacts(completion, reasoningOf(completion.choices[0]?.message));
  },
};

function responsesFacts(response: OpenAI.Responses.Response): AnswerFacts {
  const toolCalls: { name: string; arguments: unknown }[] = [];
  let [text, reasoning] = ['', ''];
  for (const item of response.output) {
    if (item.type === 'function_call') toolCalls.push({ name: item.name, arguments: parse(item.arguments) });
    if (item.type === 'reasoning') {
      reasoning += [...item.summary, ...(item.content ?? [])].map((part) => part.text).join('');
    }
    if (item.type === 'message')
      text += item.content.map((part) => (part.type === 'output_text' ? part.text : '')).join('');
  }
  return {
    text,
    reasoning,
    toolCalls,
    inputTokens: response.usage?.input_tokens,
    outputTokens: response.usage?.output_tokens,
    finish: response.status === 'incomplete' ? 'length' : toolCalls.length > 0 ? 'tool-calls' : 'stop',
  };
}

const responses: SdkClient = {
  name: 'openai responses',
  async stream(gateway, model) {
    const stream = openaiAt(gateway).responses.stream({
      model,
      input: question,
      tools: [{ type: 'function', name: toolName, parameters: toolSchema, strict: true }],
    });
    return responsesFacts(await stream.finalResponse());
  },
  async complete(gateway, model) {
    return responsesFacts(await openaiAt(gateway).responses.create({ model, input: question }));
  },
};

function messageFacts(message: Anthropic.Message): AnswerFacts {
  const { usage } = message;
  const join = (type: 'text' | 'thinking'): string =>
    message.content
      .map((block) =>
        block.type !== type ? '' : block.type === 'text' ? block.text : block.type === 'thinking' ? block.thinking : '',
      )
      .join('');
  return {
    text: join('text'),
    reasoning: join('thinking'),
    toolCalls: message.content.flatMap((block) =>
      block.type === 'tool_use' ? [{ name: block.name, arguments: block.input }] : [],
    ),
    inputTokens: usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0),
    outputTokens: usage.output_tokens,
    finish:
      message.stop_reason === 'tool_use' ? 'tool-calls' : message.stop_reason === 'max_tokens' ? 'length' : 'stop',
  };
}

const anthropicAt = (gateway: string): Anthropic =>
  new Anthropic({ apiKey: 'sk-dummy', baseURL: `${gateway}/anthropic`, maxRetries: 0 });

const anthropic: SdkClient = {
  name: 'anthropic messages',
  async stream(gateway, model) {
    const stream = anthropicAt(gateway).messages.stream({
      model,
      max_tokens: 1024,
      messages: [{ role: 'user', content: question }],
      tools: [{ name: toolName, input_schema: { ...toolSchema, type: 'object' } }],
    });
    return messageFacts(await stream.finalMessage());
  },
  async complete(gateway, model) {
    const body = { model, max_tokens: 1024, messages: [{ role: 'user' as const, content: question }] };
    return messageFacts(await anthropicAt(gateway).messages.create(body));
  },
};

const genaiAt = (gateway: string): GoogleGenAI =>
  new GoogleGenAI({ apiKey: 'dummy', httpOptions: { baseUrl: `${gateway}/genai` } });
type GeminiChunk = Awaited<ReturnType<GoogleGenAI['models']['generateContent']>>;

function geminiFacts(chunks: readonly GeminiChunk[]): AnswerFacts {
  const parts = chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? []);
  const texts = (isThought: boolean): string =>
    parts
      .filter((part) => Boolean(part.thought) === isThought)
      .map((part) => part.text ?? '')
      .join('');
  const usage = chunks.findLast((chunk) => chunk.usageMetadata !== undefined)?.usageMetadata;
  const finish = chunks.findLast((chunk) => chunk.candidates?.[0]?.finishReason !== undefined)?.candidates?.[0]
    ?.finishReason;
  const toolCalls = parts.flatMap(({ functionCall }) =>
    functionCall === undefined ? [] : [{ name: functionCall.name ?? '', arguments: functionCall.args ?? {} }],
  );
  return {
    text: texts(false),
    reasoning: texts(true),
    toolCalls,
    inputTokens: usage?.promptTokenCount,
    outputTokens: (usage?.candidatesTokenCount ?? 0) + (usage?.thoughtsTokenCount ?? 0),
    finish: finish === 'MAX_TOKENS' ? 'length' : toolCalls.length > 0 ? 'tool-calls' : 'stop',
  };
}

const gemini: SdkClient = {
  name: 'google genai',
  async stream(gateway, model) {
    const config = { tools: [{ functionDeclarations: [{ name: toolName, parametersJsonSchema: toolSchema }] }] };
    const stream = await genaiAt(gateway).models.generateContentStream({ model, contents: question, config });
    const chunks: GeminiChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return geminiFacts(chunks);
  },
  async complete(gateway, model) {
    return geminiFacts([await genaiAt(gateway).models.generateContent({ model, contents: question })]);
  },
};

export const sdkClients: readonly SdkClient[] = [chat, responses, anthropic, gemini];
