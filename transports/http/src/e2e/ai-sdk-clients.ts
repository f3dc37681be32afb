/** The AI SDK's providers, unmodified but for their base URL: judges that check every answer against schemas of their own. */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { AnswerFacts } from './recorded-facts.ts';
import type { SdkClient } from './sdk-clients.ts';

type Fetch = typeof globalThis.fetch;
type Model = ReturnType<ReturnType<typeof createOpenAI>['chat']>;
type StreamPart = Awaited<ReturnType<Model['doStream']>>['stream'] extends ReadableStream<infer Part> ? Part : never;
type Content = Awaited<ReturnType<Model['doGenerate']>>['content'][number];
type Ending = Pick<Awaited<ReturnType<Model['doGenerate']>>, 'finishReason' | 'usage'>;
type CallOptions = Parameters<Model['doStream']>[0];

/** `compatible` speaks OpenAI's chat API and reads the reasoning that OpenAI's own does not have. */
export type AiSdkName = 'responses' | 'compatible' | 'anthropic' | 'google';

/** Where a gateway has each of them, and how its model is made. `fetch`: in the place of the global one. */
export function aiSdkModel(name: AiSdkName, gateway: string, model: string, fetch: Fetch = globalThis.fetch): Model {
  const at = (path: string): { apiKey: string; baseURL: string; fetch: Fetch } => ({
    apiKey: 'sk-dummy',
    baseURL: `${gateway}${path}`,
    fetch,
  });
  switch (name) {
    case 'responses':
      return createOpenAI(at('/openai/v1')).responses(model);
    case 'compatible':
      return createOpenAICompatible({ ...at('/v1'), name: 'gateway', includeUsage: true }).chatModel(model);
    case 'anthropic':
      return createAnthropic(at('/anthropic/v1'))(model);
    case 'google':
      return createGoogleGenerativeAI(at('/genai/v1beta'))(model);
  }
}

const question: CallOptions = {
  prompt: [
    { role: 'user', content: [{ type: 'text', text: 'What is the weather in Paris, and what is 12 times 12?' }] },
  ],
  tools: [
    {
      type: 'function',
      name: 'get_weather',
      inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  ],
  includeRawChunks: true,
  providerOptions: { openai: { forceReasoning: true, reasoningSummary: 'auto' } },
};

/** Of the Responses API the AI SDK reads summaries; thoughts themselves, which only other makers send, it hands over unread. */
function rawThought(raw: unknown): string {
  const { type, delta } = raw as { readonly type?: string; readonly delta?: string };
  return type === 'response.reasoning_text.delta' ? (delta ?? '') : '';
}

/** What an answer of the AI SDK says. Throws what the stream reports as an error. */
export class AiSdkReading {
  #text = '';
  #reasoning = '';
  readonly #toolCalls: { readonly name: string; readonly arguments: unknown }[] = [];
  #ending: Ending | undefined;

  take(part: StreamPart | Content): void {
    switch (part.type) {
      case 'error':
        throw part.error;
      case 'text':
        this.#text += part.text;
        break;
      case 'reasoning':
        this.#reasoning += part.text;
        break;
      case 'text-delta':
        this.#text += part.delta;
        break;
      case 'reasoning-delta':
        this.#reasoning += part.delta;
        break;
      case 'tool-call':
        this.#toolCalls.push({ name: part.toolName, arguments: part.input === '' ? {} : JSON.parse(part.input) });
        break;
      case 'raw':
        this.#reasoning += rawThought(part.rawValue);
        break;
      case 'finish':
        this.#ending = part;
        break;
    }
  }

  end(ending: Ending | undefined = this.#ending): AnswerFacts {
    if (ending === undefined) throw new Error('the answer has no end');
    const { finishReason, usage } = ending;
    return {
      text: this.#text,
      reasoning: this.#reasoning,
      toolCalls: this.#toolCalls,
      inputTokens: usage.inputTokens.total,
      outputTokens: usage.outputTokens.total,
      finish: this.#toolCalls.length > 0 ? 'tool-calls' : finishReason.unified === 'length' ? 'length' : 'stop',
    };
  }
}

/** Streams an answer and reads it whole. */
export async function streamWithAiSdk(model: Model, options: CallOptions = question): Promise<AnswerFacts> {
  const reading = new AiSdkReading();
  const { stream } = await model.doStream(options);
  for await (const part of stream) reading.take(part);
  return reading.end();
}

/** Asks for a whole answer and reads it. */
export async function completeWithAiSdk(model: Model, options: CallOptions = question): Promise<AnswerFacts> {
  const reading = new AiSdkReading();
  const answer = await model.doGenerate(options);
  for (const part of answer.content) reading.take(part);
  return reading.end(answer);
}

export const aiSdkClients: readonly SdkClient[] = (
  ['responses', 'compatible', 'anthropic', 'google'] satisfies AiSdkName[]
).map((name) => ({
  name: `AI SDK ${name}`,
  stream: (gateway, model) => streamWithAiSdk(aiSdkModel(name, gateway, model)),
  complete: (gateway, model) => completeWithAiSdk(aiSdkModel(name, gateway, model)),
}));
