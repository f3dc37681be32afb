/** Which rule answers a request, and with which of its responses. */
import type { ConversationRequest, LLMRequest } from '@bifrost/sdk';
import { toMilliseconds } from './mocker-config.ts';
import type { Latency, MockerConfig, MockResponse, MockRule } from './mocker-config.ts';

/** A rule with what is made of it once. */
export interface CompiledRule {
  readonly rule: MockRule;
  readonly pattern: RegExp | undefined;
  /** Share of all requests up to and with the response of the same index, 0 to 1. */
  readonly thresholds: readonly number[];
  readonly latency: { readonly minMs: number; readonly maxMs: number } | undefined;
}

const everything: MockRule = {
  name: 'default-mock',
  responses: [{ type: 'success', content: { message: 'This is a mock response from the mocker plugin' } }],
};

function compilePattern({ name, conditions }: MockRule): RegExp | undefined {
  const source = conditions?.message_regex;
  if (source === undefined) return undefined;
  // Go writes flags inside the pattern, JavaScript beside it.
  const flags = /^\(\?([ims]+)\)/.exec(source);
  try {
    return new RegExp(flags === null ? source : source.slice(flags[0].length), flags?.[1] ?? '');
  } catch (error) {
    throw new TypeError(`rules "${name}": message_regex is no regular expression: ${String(error)}`, { cause: error });
  }
}

function compileLatency(latency: Latency | undefined): CompiledRule['latency'] {
  if (latency === undefined) return undefined;
  const minMs = toMilliseconds(latency.min);
  if (latency.type === 'fixed' || latency.max === undefined) return { minMs, maxMs: minMs };
  const maxMs = toMilliseconds(latency.max);
  if (maxMs < minMs) throw new TypeError(`a latency's max (${latency.max}) is below its min (${latency.min})`);
  return { minMs, maxMs };
}

function cumulativeShares(responses: readonly MockResponse[]): readonly number[] {
  const weights = responses.map(({ weight = 1 }) => weight);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  return weights.map((weight) => (sum += weight) / total);
}

/** The rules that may answer, the most urgent first. Throws TypeError for a rule that cannot work. */
export function compileRules(config: MockerConfig): readonly CompiledRule[] {
  const rules = config.rules === undefined || config.rules.length === 0 ? [everything] : config.rules;
  for (const { name, responses } of rules) {
    for (const { type, content, error } of responses) {
      const hasText = content?.message !== undefined || content?.message_template !== undefined;
      if (type === 'success' && !hasText)
        throw new TypeError(`rules "${name}": a success needs content.message or content.message_template`);
      if (type === 'error' && error === undefined) throw new TypeError(`rules "${name}": an error needs "error"`);
    }
  }
  return rules
    .filter(({ enabled }) => enabled !== false)
    .toSorted((a, b) => (b.priority ?? 0) - (a.priority ?? 0))
    .map((rule) => ({
      rule,
      pattern: compilePattern(rule),
      thresholds: cumulativeShares(rule.responses),
      latency: compileLatency(rule.latency ?? config.global_latency),
    }));
}

/** The text that people wrote or read: of all messages, part after part. */
function textOf(conversation: ConversationRequest): string {
  return conversation.messages
    .flatMap(({ parts }) => parts)
    .map((part) => ('text' in part ? part.text : ''))
    .join('\n');
}

function isWithin(size: number, range: { readonly min?: number; readonly max?: number }): boolean {
  return size >= (range.min ?? 0) && size <= (range.max ?? Number.POSITIVE_INFINITY);
}

function isMatch({ rule, pattern }: CompiledRule, request: LLMRequest, conversation: ConversationRequest): boolean {
  const { providers, models, request_size: range } = rule.conditions ?? {};
  if (providers !== undefined && providers.length > 0 && !providers.includes(request.provider ?? '')) return false;
  if (models !== undefined && models.length > 0 && !models.includes(request.model)) return false;
  if (pattern !== undefined && !pattern.test(textOf(conversation))) return false;
  return range === undefined || isWithin(new TextEncoder().encode(JSON.stringify(conversation.messages)).length, range);
}

/** The first rule that matches and whose probability lets it, with one of its responses; undefined when there is none. */
export function chooseResponse(
  rules: readonly CompiledRule[],
  request: LLMRequest & { readonly conversation: ConversationRequest },
  random: () => number,
): { readonly compiled: CompiledRule; readonly response: MockResponse } | undefined {
  for (const compiled of rules) {
    if (!isMatch(compiled, request, request.conversation)) continue;
    if (random() >= (compiled.rule.probability ?? 1)) continue;
    const draw = random();
    const index = compiled.thresholds.findIndex((threshold) => draw < threshold);
    const response = compiled.rule.responses[index === -1 ? 0 : index];
    if (response !== undefined) return { compiled, response };
  }
  return undefined;
}
