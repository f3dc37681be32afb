import type { JsonObject, ReasoningOptions } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { defined, present } from './fields.ts';
import type { FieldReader } from './fields.ts';
import { thinkingSupportOf } from './models.ts';
import type { ThinkingSupport } from './models.ts';

type Effort = NonNullable<ReasoningOptions['effort']>;

/** What Google's own OpenAI surface sends for `reasoning_effort` to 2.5 models (https://ai.google.dev/gemini-api/docs/openai#thinking). */
const budgetOfEffort: Readonly<Record<Exclude<Effort, 'none'>, number>> = {
  minimal: 1_024,
  low: 1_024,
  medium: 8_192,
  high: 24_576,
  xhigh: 24_576,
  max: 24_576,
};

const effortOfLevel: Readonly<Record<string, Effort>> = {
  MINIMAL: 'minimal',
  LOW: 'low',
  MEDIUM: 'medium',
  HIGH: 'high',
};

/** Reads `generationConfig.thinkingConfig`. */
export function decodeThinking(config: FieldReader): ReasoningOptions {
  const isShown = config.boolean('includeThoughts');
  const budget = config.number('thinkingBudget');
  const level = config.string('thinkingLevel')?.toUpperCase();
  return present({
    effort: level === undefined ? undefined : effortOfLevel[level],
    budgetTokens: budget !== undefined && budget > 0 ? budget : undefined,
    isAdaptive: budget === -1 ? true : undefined,
    isDisabled: budget === 0 ? true : undefined,
    summary: isShown === undefined ? undefined : isShown ? ('auto' as const) : ('none' as const),
  });
}

/** True where the thoughts are to be shown: asked for, or a budget set by a dialect whose answers always show them. */
function includeThoughts(reasoning: ReasoningOptions, report: LossReport): boolean | undefined {
  if (reasoning.summary !== undefined) return reasoning.summary !== 'none';
  if (reasoning.effort !== undefined || reasoning.isDisabled === true) return undefined;
  if (reasoning.budgetTokens === undefined && reasoning.isAdaptive !== true) return undefined;
  const reason = 'the thoughts are asked for, as this dialect always shows them';
  report.add({ action: 'changed', field: 'reasoning.summary', reason });
  return true;
}

/** The settings in Gemini's own words, for a request that came in them to a model of the same family. */
export function encodeNativeThinking(reasoning: ReasoningOptions): JsonObject {
  const budget = reasoning.isDisabled === true ? 0 : reasoning.isAdaptive === true ? -1 : reasoning.budgetTokens;
  return defined({
    thinkingLevel: reasoning.effort?.toUpperCase(),
    thinkingBudget: budget,
    includeThoughts: reasoning.summary === undefined ? undefined : reasoning.summary !== 'none',
  });
}

/** Writes `thinkingConfig` for a model; undefined when there is nothing to say. Adjustments are reported as changed. */
export function encodeThinking(
  reasoning: ReasoningOptions,
  options: { readonly model: string; readonly report: LossReport },
): JsonObject | undefined {
  const support = thinkingSupportOf(options.model);
  // Budgets are Gemini's own words, so a model without a known table is given them as they are; efforts need a table.
  if (support.by === 'none' && reasoning.effort !== undefined) {
    options.report.add({ action: 'dropped', field: 'reasoning', reason: `${options.model} does not think` });
    return undefined;
  }
  const amount = support.by === 'level' ? levelOf(reasoning, support, options) : budgetOf(reasoning, support, options);
  const config = defined({ ...amount, includeThoughts: includeThoughts(reasoning, options.report) });
  if (Object.keys(config).length > 0) return config;
  options.report.add({ action: 'dropped', field: 'reasoning', reason: 'it has no setting that Gemini knows' });
  return undefined;
}

function levelOf(
  reasoning: ReasoningOptions,
  support: ThinkingSupport,
  options: { readonly model: string; readonly report: LossReport },
): JsonObject {
  if (reasoning.effort === undefined) {
    // A budget is still taken by these models, but not together with a level.
    if (reasoning.isDisabled === true) {
      const lowest = support.hasMinimal ? 'MINIMAL' : 'LOW';
      options.report.add({
        action: 'changed',
        field: 'reasoning',
        reason: `${options.model} thinks at least ${lowest}`,
      });
      return { thinkingLevel: lowest };
    }
    return defined({ thinkingBudget: reasoning.isAdaptive === true ? -1 : reasoning.budgetTokens });
  }
  const level = nearestLevel(reasoning.effort, support);
  if (level.toLowerCase() !== reasoning.effort) {
    options.report.add({
      action: 'changed',
      field: 'reasoning.effort',
      reason: `${options.model} has no level ${reasoning.effort}: ${level.toLowerCase()} is used`,
    });
  }
  if (reasoning.budgetTokens !== undefined) {
    options.report.add({ action: 'dropped', field: 'reasoning.budget_tokens', reason: 'a level is set as well' });
  }
  return { thinkingLevel: level };
}

function nearestLevel(effort: Effort, support: ThinkingSupport): string {
  switch (effort) {
    case 'none':
    case 'minimal':
      return support.hasMinimal ? 'MINIMAL' : 'LOW';
    case 'low':
      return 'LOW';
    case 'medium':
      return support.hasMedium ? 'MEDIUM' : 'HIGH';
    default:
      return 'HIGH';
  }
}

function budgetOf(
  reasoning: ReasoningOptions,
  support: ThinkingSupport,
  options: { readonly model: string; readonly report: LossReport },
): JsonObject {
  if (support.by === 'none') {
    const budget = reasoning.isDisabled === true ? 0 : reasoning.isAdaptive === true ? -1 : reasoning.budgetTokens;
    return defined({ thinkingBudget: budget });
  }
  const isOff = reasoning.isDisabled === true || (reasoning.effort === 'none' && reasoning.budgetTokens === undefined);
  if (isOff && !support.isAlwaysOn) return { thinkingBudget: 0 };
  if (reasoning.isAdaptive === true && reasoning.budgetTokens === undefined) return { thinkingBudget: -1 };
  const ofEffort =
    reasoning.effort === undefined || reasoning.effort === 'none' ? undefined : budgetOfEffort[reasoning.effort];
  const wanted = isOff ? 0 : (reasoning.budgetTokens ?? ofEffort);
  if (wanted === undefined) return {};
  const budget = Math.min(Math.max(wanted, support.minBudgetTokens), support.maxBudgetTokens);
  if (budget !== wanted) {
    const range = `${support.minBudgetTokens} to ${support.maxBudgetTokens}`;
    options.report.add({
      action: 'changed',
      field: isOff ? 'reasoning' : 'reasoning.budget_tokens',
      reason: `${options.model} takes a budget of ${range} tokens: ${wanted} became ${budget}`,
    });
  } else if (reasoning.effort === 'xhigh' || reasoning.effort === 'max') {
    options.report.add({
      action: 'changed',
      field: 'reasoning.effort',
      reason: `${reasoning.effort} is sent as a thinking budget of ${budget} tokens, as high is`,
    });
  }
  return { thinkingBudget: budget };
}
