/**
 * Answers requests by rules in the place of a provider: for tests, demonstrations and drills. Rules, responses and their names are
 * those of Bifrost's mocker, so that its configuration works here.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { definePlugin } from '@bifrost/sdk';
import type {
  ConversationRequest,
  ConversationResponse,
  ErrorInfo,
  FinishReasonKind,
  HookContext,
  LLMRequest,
  PreLLMResult,
} from '@bifrost/sdk';
import { chooseResponse, compileRules } from './choose-response.ts';
import type { CompiledRule } from './choose-response.ts';
import { fillTemplate } from './fill-template.ts';
import type { MockerConfig, MockResponse, SuccessContent } from './mocker-config.ts';

export type { MockerConfig } from './mocker-config.ts';

const finishKinds: Readonly<Record<string, FinishReasonKind>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool-calls',
  content_filter: 'content-filter',
};

/** Rules of each configuration that is in use: compiled when it is first seen. */
const compiled = new WeakMap<MockerConfig, readonly CompiledRule[]>();

function rulesOf(config: MockerConfig): readonly CompiledRule[] {
  const known = compiled.get(config);
  if (known !== undefined) return known;
  const rules = compileRules(config);
  compiled.set(config, rules);
  return rules;
}

function toResponse(content: SuccessContent, request: LLMRequest): ConversationResponse {
  const facts = { provider: request.provider ?? '', model: request.model };
  const text =
    content.message_template === undefined ? (content.message ?? '') : fillTemplate(content.message_template, facts);
  const { prompt_tokens: inputTokens = 10, completion_tokens: outputTokens = 20, total_tokens } = content.usage ?? {};
  const raw = content.finish_reason ?? 'stop';
  return {
    id: `mocker-${crypto.randomUUID()}`,
    model: content.model ?? request.model,
    createdAt: Math.floor(Date.now() / 1000),
    candidates: [
      { index: 0, parts: [{ type: 'text', text }], finishReason: { kind: finishKinds[raw] ?? 'other', raw } },
    ],
    usage: { inputTokens, outputTokens, totalTokens: total_tokens ?? inputTokens + outputTokens },
  };
}

function toError(response: MockResponse): ErrorInfo {
  const { error, allow_fallbacks: allowFallbacks } = response;
  return {
    statusCode: error?.status_code ?? 500,
    message: error?.message ?? 'The mocker plugin answers with an error.',
    origin: 'plugin',
    ...(error?.type === undefined ? {} : { type: error.type }),
    ...(error?.code === undefined ? {} : { code: error.code }),
    ...(allowFallbacks === undefined ? {} : { allowFallbacks }),
  };
}

async function wait(latency: CompiledRule['latency'], signal: AbortSignal): Promise<void> {
  if (latency === undefined) return;
  const { minMs, maxMs } = latency;
  await sleep(minMs + Math.random() * (maxMs - minMs), undefined, { signal });
}

function answer(context: HookContext<MockerConfig>, request: LLMRequest, response: MockResponse): PreLLMResult {
  if (response.type === 'error') {
    context.shared.add('errors_generated');
    return { error: toError(response) };
  }
  context.shared.add('responses_generated');
  const content = response.content ?? {};
  if (content.custom_fields !== undefined) context.setTraceAttribute('custom_fields', content.custom_fields);
  return { response: toResponse(content, request) };
}

function answerByDefault(behaviour: MockerConfig['default_behavior'], request: LLMRequest): PreLLMResult | undefined {
  switch (behaviour) {
    case 'success':
      return { response: toResponse({ message: 'Mock response: no rule matched the request' }, request) };
    case 'error':
      return {
        error: { statusCode: 500, message: 'The mocker plugin has no rule for this request.', origin: 'plugin' },
      };
    default:
      return undefined;
  }
}

function withConversation(
  request: LLMRequest,
): (LLMRequest & { readonly conversation: ConversationRequest }) | undefined {
  const { conversation } = request;
  return conversation === undefined ? undefined : { ...request, conversation };
}

export default definePlugin<MockerConfig>({
  name: 'mocker',
  version: '0.1.0',

  init(context) {
    // A rule that cannot work keeps the plugin from being loaded, not from answering.
    rulesOf(context.config);
  },

  preLLMHook: {
    reads: 'messages',
    when: (config) => config.enabled !== false,
    // A latency of the rules counts against it.
    timeoutMs: 600_000,
    async handler(context, given) {
      const request = withConversation(given);
      if (request === undefined) return undefined;
      context.shared.add('total_requests');
      const chosen = chooseResponse(rulesOf(context.config), request, Math.random);
      if (chosen === undefined) return answerByDefault(context.config.default_behavior, request);
      context.shared.add('mocked_requests');
      context.shared.add(`rule_hits:${chosen.compiled.rule.name}`);
      await wait(chosen.compiled.latency, context.signal);
      return answer(context, request, chosen.response);
    },
  },
});
