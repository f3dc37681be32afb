/** How much to think: `thinking` and `output_config.effort`, and the effort levels and budgets of other dialects. */
import type { ConversationRequest, ReasoningOptions } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { present, putBack, takeNumber, takeObject, takeString } from './fields.ts';
import type { Fields } from './fields.ts';
import { hasAdaptiveThinking, hasThinkingBudget, isAlwaysThinking } from './models.ts';
import { dialect } from './residue.ts';
import { isToolForced } from './tools.ts';

/** Anthropic refuses smaller budgets. */
export const minThinkingBudget = 1024;

/** Tokens of thinking for an effort, on models that know only budgets. */
export const effortBudgets = {
  minimal: minThinkingBudget,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 24_576,
  max: 31_999,
} as const;

type Effort = NonNullable<ReasoningOptions['effort']>;

const efforts: ReadonlySet<string> = new Set(['low', 'medium', 'high', 'xhigh', 'max']);
const displays = { summarized: 'auto', omitted: 'none' } as const;

function takeThinking(fields: Fields): ReasoningOptions | undefined {
  const thinking = takeObject(fields, 'thinking');
  if (thinking === undefined) return undefined;
  const { type, display } = thinking;
  const budgetTokens = type === 'enabled' ? takeNumber(thinking, 'budget_tokens') : undefined;
  const isKnown = type === 'disabled' || type === 'adaptive' || budgetTokens !== undefined;
  if (!isKnown) {
    fields['thinking'] = thinking; // a type of tomorrow, kept whole
    return undefined;
  }
  delete thinking['type'];
  const summary = display === 'summarized' || display === 'omitted' ? displays[display] : undefined;
  if (summary !== undefined) delete thinking['display'];
  putBack(fields, 'thinking', thinking);
  return present({
    budgetTokens,
    isAdaptive: type === 'adaptive' || undefined,
    isDisabled: type === 'disabled' || undefined,
    summary,
  });
}

/** Takes `thinking` and the effort out of a request's fields. `outputConfig` is its `output_config`. */
export function takeReasoning(fields: Fields, outputConfig: Fields): ReasoningOptions | undefined {
  const thinking = takeThinking(fields);
  const { effort } = outputConfig;
  const isKnown = typeof effort === 'string' && efforts.has(effort);
  if (isKnown) takeString(outputConfig, 'effort');
  if (thinking === undefined && !isKnown) return undefined;
  return { ...thinking, ...(isKnown ? { effort: effort as Effort } : {}) };
}

/** The request's members that say how to think. `maxTokens` is the limit that they need. */
export interface ThinkingFields {
  readonly thinking?: Fields;
  readonly effort?: string;
  readonly maxTokens: number;
}

function displayOf(reasoning: ReasoningOptions): Fields {
  if (reasoning.summary === undefined) return {};
  return { display: reasoning.summary === 'none' ? 'omitted' : 'summarized' };
}

/** What an Anthropic client asked for, in its words. */
export function encodeOwnThinking(reasoning: ReasoningOptions | undefined, maxTokens: number): ThinkingFields {
  if (reasoning === undefined) return { maxTokens };
  const display = displayOf(reasoning);
  const { effort } = reasoning;
  const thinking =
    reasoning.isDisabled === true
      ? { type: 'disabled', ...display }
      : reasoning.isAdaptive === true
        ? { type: 'adaptive', ...display }
        : reasoning.budgetTokens !== undefined
          ? { type: 'enabled', budget_tokens: reasoning.budgetTokens, ...display }
          : undefined;
  return present({ thinking, effort, maxTokens });
}

function withBudget(request: ConversationRequest, reasoning: ReasoningOptions, report: LossReport): ThinkingFields {
  const { maxOutputTokens } = request;
  const stated =
    reasoning.budgetTokens !== undefined && reasoning.budgetTokens > 0 ? reasoning.budgetTokens : undefined;
  const effort = reasoning.effort === undefined || reasoning.effort === 'none' ? 'medium' : reasoning.effort;
  let budget = stated ?? effortBudgets[effort];
  if (budget < minThinkingBudget) {
    budget = minThinkingBudget;
    const reason = `${stated} was asked for; Anthropic's smallest thinking budget is ${minThinkingBudget}`;
    report.add({ action: 'changed', field: 'reasoning.max_tokens', reason });
  }
  if (stated === undefined || reasoning.effort !== undefined) {
    const reason = `${request.model} takes a thinking budget and neither an effort nor a free hand`;
    report.add({ action: 'changed', field: 'reasoning.effort', reason });
  }
  const thinking = { type: 'enabled', budget_tokens: budget, ...displayOf(reasoning) };
  if (maxOutputTokens === undefined) return { thinking, maxTokens: budget + defaultMaxTokens };
  if (maxOutputTokens > budget) return { thinking, maxTokens: maxOutputTokens };
  if (stated === undefined && maxOutputTokens > minThinkingBudget) {
    // An effort leaves the budget to us: half of the tokens that the caller allows, thinking included.
    const fitting = Math.max(minThinkingBudget, Math.floor(maxOutputTokens / 2));
    return { thinking: { ...thinking, budget_tokens: fitting }, maxTokens: maxOutputTokens };
  }
  const reason = `raised from ${maxOutputTokens}: Anthropic's max_tokens must exceed the thinking budget of ${budget}`;
  report.add({ action: 'changed', field: 'max_tokens', reason });
  return { thinking, maxTokens: budget + maxOutputTokens };
}

function adaptive(request: ConversationRequest, reasoning: ReasoningOptions, report: LossReport): ThinkingFields {
  const maxTokens = request.maxOutputTokens ?? defaultMaxTokens;
  const thinking = { type: 'adaptive', ...displayOf(reasoning) };
  let { effort } = reasoning;
  if (effort === undefined && reasoning.budgetTokens !== undefined && reasoning.budgetTokens > 0) {
    effort = effortOf(reasoning.budgetTokens);
    const reason = `${request.model} takes no thinking budget: effort ${effort} is asked for`;
    report.add({ action: 'changed', field: 'reasoning.max_tokens', reason });
  }
  if (effort === 'minimal' || (effort === 'xhigh' && hasThinkingBudget(request.model))) {
    const nearest = effort === 'minimal' ? 'low' : 'high';
    report.add({
      action: 'changed',
      field: 'reasoning.effort',
      reason: `${effort} is unknown here: ${nearest} is asked for`,
    });
    effort = nearest;
  }
  return present({ thinking, effort, maxTokens });
}

function effortOf(budget: number): Effort {
  const levels = ['low', 'medium', 'high', 'xhigh'] as const;
  return levels.find((level) => budget <= effortBudgets[level]) ?? 'max';
}

/** Used where the caller set no limit: Anthropic demands one, and every Claude model accepts this many tokens. */
export const defaultMaxTokens = 4096;

/**
 * A budget-only model refuses to go on in a tool loop whose turn does not begin with its own thinking, which clients of other
 * dialects often do not send back.
 */
function isThinkingMissing(request: ConversationRequest): boolean {
  const turn = request.messages.findLast((message) => message.role === 'assistant');
  if (turn === undefined || !turn.parts.some((part) => part.type === 'tool-call')) return false;
  const after = request.messages.slice(request.messages.indexOf(turn) + 1);
  if (!after.some((message) => message.parts.some((part) => part.type === 'tool-result'))) return false;
  return !turn.parts.some((part) => part.type === 'reasoning' && part.origin === dialect);
}

/** What a client of another dialect asked for, as the model at hand takes it. */
export function encodeForeignThinking(request: ConversationRequest, report: LossReport): ThinkingFields {
  const reasoning = request.reasoning;
  const maxTokens = request.maxOutputTokens ?? defaultMaxTokens;
  const isAdaptiveModel = hasAdaptiveThinking(request.model);
  const isWanted =
    reasoning !== undefined && Object.keys(reasoning).some((key) => key !== 'summary' && key !== 'residue');
  if (!isWanted) {
    if (reasoning?.summary !== undefined) {
      const reason = 'Anthropic shows thinking only where thinking is asked for';
      report.add({ action: 'dropped', field: 'reasoning.summary', reason });
    }
    return { maxTokens };
  }
  const isOff = reasoning.isDisabled === true || reasoning.effort === 'none' || reasoning.budgetTokens === 0;
  if (isOff && isAlwaysThinking(request.model)) {
    const reason = `${request.model} cannot go without thinking: effort low is asked for`;
    report.add({ action: 'changed', field: 'reasoning.effort', reason });
    return { effort: 'low', maxTokens };
  }
  if (isOff) return isAdaptiveModel ? { thinking: { type: 'disabled' }, maxTokens } : { maxTokens };
  const obstacle = isToolForced(request)
    ? 'Anthropic does not think where a tool call is forced'
    : !isAdaptiveModel && isThinkingMissing(request)
      ? 'Anthropic does not think in a tool loop whose earlier thinking was not sent back'
      : undefined;
  if (obstacle !== undefined) {
    report.add({ action: 'dropped', field: 'reasoning', reason: obstacle });
    return { maxTokens };
  }
  const isBudget = reasoning.budgetTokens !== undefined && reasoning.budgetTokens > 0;
  if (isAdaptiveModel && !(isBudget && hasThinkingBudget(request.model))) return adaptive(request, reasoning, report);
  return withBudget(request, reasoning, report);
}
