/**
 * What a recorded answer says, read from its raw JSON without any of the gateway's code: the yardstick for what an SDK must see
 * behind the gateway, whatever dialect it speaks.
 */
import type { Recording } from '@bifrost/testkit';

export interface AnswerFacts {
  readonly text: string;
  readonly reasoning: string;
  /** Name and arguments (by value) of each call of the caller's functions, in order. */
  readonly toolCalls: readonly { readonly name: string; readonly arguments: unknown }[];
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly finish: 'stop' | 'length' | 'tool-calls';
}

interface ChatEvent {
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
  readonly x_groq?: { readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } };
  readonly choices?: readonly {
    readonly finish_reason?: string | null;
    readonly delta?: {
      readonly content?: string | null;
      readonly reasoning?: string | null;
      readonly reasoning_content?: string | null;
      readonly tool_calls?: readonly {
        readonly index: number;
        readonly function?: { readonly name?: string; readonly arguments?: string };
      }[];
    };
  }[];
}

interface ResponsesItem {
  readonly type: string;
  readonly name?: string;
  readonly arguments?: string;
  readonly summary?: readonly { readonly text: string }[];
  readonly content?: readonly { readonly text?: string }[];
}

interface ResponsesEvent {
  readonly response?: {
    readonly status: string;
    readonly output?: readonly ResponsesItem[];
    readonly usage?: { readonly input_tokens: number; readonly output_tokens: number };
  };
}

interface AnthropicEvent {
  readonly index?: number;
  readonly message?: { readonly usage: Readonly<Record<string, number>> };
  readonly usage?: Readonly<Record<string, number>>;
  readonly content_block?: { readonly type: string; readonly name?: string };
  readonly delta?: {
    readonly type?: string;
    readonly text?: string;
    readonly thinking?: string;
    readonly partial_json?: string;
    readonly stop_reason?: string | null;
  };
}

interface GeminiEvent {
  readonly candidates?: readonly {
    readonly finishReason?: string;
    readonly content?: {
      readonly parts?: readonly {
        readonly text?: string;
        readonly thought?: boolean;
        readonly functionCall?: { readonly name: string; readonly args?: unknown };
      }[];
    };
  }[];
  readonly usageMetadata?: {
    readonly promptTokenCount?: number;
    readonly candidatesTokenCount?: number;
    readonly thoughtsTokenCount?: number;
  };
}

const rawEvents = <Event>(recording: Recording): readonly Event[] =>
  (recording.response.body as string)
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data:') && !line.includes('[DONE]'))
    .map((line) => JSON.parse(line.slice(5)) as Event);

const parseArguments = (text: string): unknown => (text === '' ? {} : JSON.parse(text));

function chatFacts(events: readonly ChatEvent[]): AnswerFacts {
  let [text, reasoning, finish] = ['', '', 'stop'];
  let usage: ChatEvent['usage'];
  const calls = new Map<number, { name: string; text: string }>();
  for (const event of events) {
    usage = event.usage ?? event.x_groq?.usage ?? usage;
    const choice = event.choices?.[0];
    text += choice?.delta?.content ?? '';
    reasoning += choice?.delta?.reasoning_content ?? choice?.delta?.reasoning ?? '';
    finish = choice?.finish_reason ?? finish;
    for (const call of choice?.delta?.tool_calls ?? []) {
      const known = calls.get(call.index) ?? { name: '', text: '' };
      known.name = call.function?.name ?? known.name;
      known.text += call.function?.arguments ?? '';
      calls.set(call.index, known);
    }
  }
  return {
    text,
    reasoning,
    toolCalls: [...calls.values()].map((call) => ({ name: call.name, arguments: parseArguments(call.text) })),
    inputTokens: usage?.prompt_tokens,
    outputTokens: usage?.completion_tokens,
    finish: finish === 'tool_calls' ? 'tool-calls' : finish === 'length' ? 'length' : 'stop',
  };
}

function responsesFacts(events: readonly ResponsesEvent[]): AnswerFacts {
  const last = events.findLast((event) => event.response !== undefined)?.response;
  const of = (type: string): readonly ResponsesItem[] => (last?.output ?? []).filter((item) => item.type === type);
  const toolCalls = of('function_call').map((item) => ({
    name: item.name ?? '',
    arguments: parseArguments(item.arguments ?? ''),
  }));
  const texts = (parts: readonly { readonly text?: string }[]): string => parts.map((part) => part.text ?? '').join('');
  return {
    text: texts(of('message').flatMap((item) => item.content ?? [])),
    reasoning: texts(of('reasoning').flatMap((item) => [...(item.summary ?? []), ...(item.content ?? [])])),
    toolCalls,
    inputTokens: last?.usage?.input_tokens,
    outputTokens: last?.usage?.output_tokens,
    finish: last?.status === 'incomplete' ? 'length' : toolCalls.length > 0 ? 'tool-calls' : 'stop',
  };
}

function anthropicFacts(events: readonly AnthropicEvent[]): AnswerFacts {
  let [text, reasoning, finish] = ['', '', ''];
  const usage: Record<string, number> = {};
  const calls = new Map<number | undefined, { name: string; text: string }>();
  for (const { index, message, content_block: block, delta, ...event } of events) {
    Object.assign(usage, message?.usage, event.usage);
    finish = delta?.stop_reason ?? finish;
    if (block?.type === 'tool_use') calls.set(index, { name: block.name ?? '', text: '' });
    if (delta?.type === 'text_delta') text += delta.text ?? '';
    reasoning += delta?.thinking ?? '';
    const call = calls.get(index);
    if (call !== undefined) call.text += delta?.partial_json ?? '';
  }
  const sum = (...keys: string[]): number => keys.reduce((total, key) => total + (usage[key] ?? 0), 0);
  return {
    text,
    reasoning,
    toolCalls: [...calls.values()].map((call) => ({ name: call.name, arguments: parseArguments(call.text) })),
    inputTokens: sum('input_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens'),
    outputTokens: usage['output_tokens'],
    finish: finish === 'tool_use' ? 'tool-calls' : finish === 'max_tokens' ? 'length' : 'stop',
  };
}

function geminiFacts(events: readonly GeminiEvent[]): AnswerFacts {
  const parts = events.flatMap((event) => event.candidates?.[0]?.content?.parts ?? []);
  const texts = (isThought: boolean): string =>
    parts
      .filter((part) => Boolean(part.thought) === isThought)
      .map((part) => part.text ?? '')
      .join('');
  const usage = events.findLast((event) => event.usageMetadata !== undefined)?.usageMetadata;
  const toolCalls = parts.flatMap(({ functionCall }) =>
    functionCall === undefined ? [] : [{ name: functionCall.name, arguments: functionCall.args ?? {} }],
  );
  const finish = events.findLast((event) => event.candidates?.[0]?.finishReason !== undefined);
  const isCut = finish?.candidates?.[0]?.finishReason === 'MAX_TOKENS';
  return {
    text: texts(false),
    reasoning: texts(true),
    toolCalls,
    inputTokens: usage?.promptTokenCount,
    outputTokens: (usage?.candidatesTokenCount ?? 0) + (usage?.thoughtsTokenCount ?? 0),
    finish: isCut ? 'length' : toolCalls.length > 0 ? 'tool-calls' : 'stop',
  };
}

/** The facts of a recorded stream. */
export function factsOf(recording: Recording): AnswerFacts {
  switch (recording.api) {
    case 'openai.chat_completions':
      return chatFacts(rawEvents(recording));
    case 'openai.responses':
      return responsesFacts(rawEvents(recording));
    case 'anthropic.messages':
      return anthropicFacts(rawEvents(recording));
    default:
      return geminiFacts(rawEvents(recording));
  }
}
