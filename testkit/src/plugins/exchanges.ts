/** The exchanges that every plugin is taken through: what comes in, what the providers do, what goes out. */
import type {
  ConversationRequest,
  ConversationResponse,
  ErrorInfo,
  HookFilter,
  RequestFacts,
  StreamEvent,
} from '@bifrost/sdk';
import {
  answerEvents,
  overloaded,
  refused,
  shortAnswer,
  shortChat,
  toolAnswer,
  toolChat,
} from './conversation-inputs.ts';

/** What a provider does with one attempt. */
export type ProviderAnswer =
  | { readonly response: ConversationResponse }
  | { readonly events: readonly StreamEvent[] }
  | { readonly error: ErrorInfo };

/** One request and all that happens to it. */
export interface Exchange {
  /** What it is, for the report: `a whole answer`. */
  readonly title: string;
  readonly facts: RequestFacts;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent for requests that are no conversation. */
  readonly conversation?: ConversationRequest;
  readonly body: Uint8Array;
  readonly attempts: readonly { readonly provider: string; readonly model: string; readonly answer: ProviderAnswer }[];
  /** The client goes away after the first half of the answer. */
  readonly isBrokenOff?: boolean;
}

const model = 'gpt-conformance';
const headers = {
  'content-type': 'application/json',
  'user-agent': 'bifrost-conformance/1',
  authorization: 'Bearer conformance',
  'x-request-id': 'conformance',
};

interface Draft extends Pick<Exchange, 'title' | 'attempts'> {
  readonly conversation?: ConversationRequest;
  readonly facts?: Partial<RequestFacts>;
  readonly body?: string;
  readonly isBrokenOff?: boolean;
}

function bodyOf(conversation: ConversationRequest | undefined): string {
  if (conversation === undefined) return JSON.stringify({ model, input: ['one', 'two'] });
  const messages = conversation.messages.map(({ role, parts }) => ({
    role,
    content: parts.map((part) => ('text' in part ? part.text : '')).join(''),
  }));
  return JSON.stringify({ model, stream: conversation.stream, messages });
}

function exchange({ title, attempts, conversation, facts, body, isBrokenOff }: Draft): Exchange {
  return {
    title,
    attempts,
    headers,
    facts: {
      requestId: `conformance-${title.replaceAll(/[^a-z]+/g, '-')}`,
      requestType: conversation === undefined ? 'embedding' : 'chat_completion',
      method: 'POST',
      path: conversation === undefined ? '/v1/embeddings' : '/v1/chat/completions',
      isStream: conversation?.stream ?? false,
      ...facts,
    },
    body: new TextEncoder().encode(body ?? bodyOf(conversation)),
    ...(conversation === undefined ? {} : { conversation }),
    ...(isBrokenOff === undefined ? {} : { isBrokenOff }),
  };
}

const primary = { provider: 'openai', model };
const second = { provider: 'anthropic', model: 'claude-conformance' };

/** Whole answers, streams, fallbacks, failures, tools, embeddings, a client that goes away. */
export function standardExchanges(): readonly Exchange[] {
  const whole = { ...primary, answer: { response: shortAnswer(model) } };
  return [
    exchange({ title: 'a whole answer', conversation: shortChat(model, false), attempts: [whole] }),
    exchange({
      title: 'a stream',
      conversation: shortChat(model, true),
      attempts: [{ ...primary, answer: { events: answerEvents(model) } }],
    }),
    exchange({
      title: 'tools, an image and reasoning',
      conversation: toolChat(model, false),
      attempts: [{ ...primary, answer: { response: toolAnswer(model) } }],
    }),
    exchange({
      title: 'a fallback after an overloaded provider',
      conversation: shortChat(model, false),
      attempts: [
        { ...primary, answer: { error: overloaded } },
        { ...second, answer: { response: shortAnswer(second.model) } },
      ],
    }),
    exchange({
      title: 'a stream from a fallback',
      conversation: toolChat(model, true),
      attempts: [
        { ...primary, answer: { error: overloaded } },
        { ...second, answer: { events: answerEvents(second.model) } },
      ],
    }),
    exchange({
      title: 'a request that the provider refuses',
      conversation: shortChat(model, false),
      attempts: [{ ...primary, answer: { error: refused } }],
    }),
    exchange({
      title: 'an answer without content',
      conversation: { model, stream: false, messages: [] },
      attempts: [{ ...primary, answer: { response: { candidates: [] } } }],
    }),
    exchange({
      title: 'a request that is no conversation',
      facts: { path: '/v1/embeddings' },
      attempts: [{ ...primary, answer: { response: { candidates: [], usage: { inputTokens: 2 } } } }],
    }),
    exchange({
      title: 'a client that goes away in a stream',
      conversation: shortChat(model, true),
      attempts: [{ ...primary, answer: { events: answerEvents(model) } }],
      isBrokenOff: true,
    }),
  ];
}

const first = (stated: string | readonly string[] | undefined): string | undefined =>
  (typeof stated === 'string' ? stated : stated?.[0])?.replaceAll('*', 'x');

/** An exchange that a hook with `filter` is called in, where the standard ones do not match it. */
export function exchangeFor(filter: HookFilter): Exchange {
  const stream = filter.isStream ?? false;
  const stated = first(filter.model) ?? model;
  const slash = stated.indexOf('/');
  const wanted = slash === -1 ? stated : stated.slice(slash + 1);
  const provider = first(filter.provider) ?? (slash === -1 ? 'openai' : stated.slice(0, slash));
  const path = first(filter.path);
  const made = exchange({
    title: `a request that fits the filter ${JSON.stringify(filter)}`,
    conversation: shortChat(wanted, stream),
    attempts: [
      {
        provider,
        model: wanted,
        answer: stream ? { events: answerEvents(wanted) } : { response: shortAnswer(wanted) },
      },
    ],
    ...(path === undefined ? {} : { facts: { path } }),
  });
  const [name = '', value = 'x'] = (filter.header ?? '').split(/:\s*/);
  if (name === '') return made;
  return { ...made, headers: { ...made.headers, [name.toLowerCase()]: value.replaceAll('*', 'x') } };
}
