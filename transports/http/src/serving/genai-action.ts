import type { InboundRoute } from '@bifrost/core';

interface GenaiAction {
  readonly operation: InboundRoute['operation'];
  readonly requestType: string;
  readonly pathStream?: boolean;
}

const actions: Readonly<Record<string, GenaiAction>> = {
  generateContent: { operation: 'conversation', requestType: 'chat_completion', pathStream: false },
  streamGenerateContent: { operation: 'conversation', requestType: 'chat_completion', pathStream: true },
  countTokens: { operation: 'count-tokens', requestType: 'count_tokens' },
  embedContent: { operation: 'embeddings', requestType: 'embedding' },
  batchEmbedContents: { operation: 'embeddings', requestType: 'embedding' },
};

/** Names of the actions that are served. */
export const genaiActions: readonly string[] = Object.keys(actions);

/**
 * What `{model}:{action}` asks for; the model may be `provider/model`, have slashes and colons of its own. Undefined where the
 * action is none that is served or the model is missing.
 */
export function parseGenaiAction(rest: string, query: string): InboundRoute | undefined {
  const colon = rest.lastIndexOf(':');
  const action = Object.hasOwn(actions, rest.slice(colon + 1)) ? actions[rest.slice(colon + 1)] : undefined;
  if (colon <= 0 || action === undefined) return undefined;
  const isSse = /(^|&)alt=sse(&|$)/.test(query);
  return {
    ...action,
    dialect: 'gemini-generate-content',
    isDropIn: true,
    defaultProvider: 'gemini',
    pathModel: rest.slice(0, colon),
    ...(action.pathStream === true ? { streamFraming: isSse ? 'sse' : 'json-array' } : {}),
  };
}
