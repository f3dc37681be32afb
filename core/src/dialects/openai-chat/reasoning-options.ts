import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject, ReasoningOptions } from '@bifrost/sdk';
import { addResidue, formOf, setField } from './encode-context.ts';
import type { EncodeContext } from './encode-context.ts';
import { ObjectReader, optional } from './object-reader.ts';
import type { MutableJson } from './object-reader.ts';

type Effort = NonNullable<ReasoningOptions['effort']>;
const efforts: ReadonlySet<string> = new Set<Effort>(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']);

function isEffort(value: Json | undefined): value is Effort {
  return typeof value === 'string' && efforts.has(value);
}

/** The fields in which servers of this dialect are asked to think. */
type Field = 'reasoning_effort' | 'reasoning' | 'thinking' | 'enable_thinking';

function decodeObject(
  raw: JsonObject,
  field: 'reasoning' | 'thinking',
  owner: ObjectReader,
): ReasoningOptions | undefined {
  const reader = new ObjectReader(raw, field, owner.mode);
  const options: { -readonly [K in keyof ReasoningOptions]: ReasoningOptions[K] } = {};
  const budgetKey = field === 'reasoning' ? 'max_tokens' : 'budget_tokens';
  const budget = reader.number(budgetKey);
  if (budget !== undefined) options.budgetTokens = budget;
  if (field === 'reasoning' && isEffort(reader.peek('effort'))) options.effort = reader.take('effort') as Effort;
  const state = field === 'reasoning' ? reader.peek('enabled') : reader.peek('type');
  if (state === false || state === 'disabled') options.isDisabled = true;
  else if ((state === true || state === 'enabled') && budget === undefined && options.effort === undefined)
    options.isAdaptive = true;
  else if (state === 'adaptive') options.isAdaptive = true;
  if (options.isDisabled === true || options.isAdaptive === true)
    reader.take(field === 'reasoning' ? 'enabled' : 'type');
  if (field === 'thinking' && state === 'enabled') reader.take('type');
  if (state === 'adaptive') reader.note('adaptive', 'adaptive');
  if (Object.keys(options).length === 0) return undefined;
  reader.note('field', field);
  const residue = reader.rest();
  return { ...options, ...(residue === undefined ? {} : { residue }) };
}

/**
 * Reads how much the model may think: `reasoning_effort`, `reasoning: {effort, max_tokens, enabled}` (OpenRouter), `thinking:
 * {type, budget_tokens}` (DeepSeek, Z.ai), `enable_thinking` and `thinking_budget` (Alibaba). Where several are given, the first
 * of these counts and the others stay in the remainder.
 */
export function decodeReasoningOptions(reader: ObjectReader): ReasoningOptions | undefined {
  const effort = reader.peek('reasoning_effort');
  if (isEffort(effort)) {
    reader.take('reasoning_effort');
    return { effort };
  }
  for (const field of ['reasoning', 'thinking'] as const) {
    const raw = reader.peek(field);
    const options = isJsonObject(raw) ? decodeObject(raw, field, reader) : undefined;
    if (options !== undefined) {
      reader.take(field);
      return options;
    }
  }
  const isEnabled = reader.peek('enable_thinking');
  if (typeof isEnabled !== 'boolean') return undefined;
  reader.take('enable_thinking');
  const budget = reader.number('thinking_budget');
  const state = isEnabled ? (budget === undefined ? { isAdaptive: true } : {}) : { isDisabled: true };
  const residue = { dialect: reader.mode.dialect, fields: {}, form: { field: 'enable_thinking' } };
  return { ...state, ...optional('budgetTokens', budget), residue };
}

/** A token budget as the nearest effort, for servers that know only words. */
function effortOfBudget(tokens: number): Effort {
  if (tokens <= 0) return 'none';
  if (tokens <= 1024) return 'minimal';
  if (tokens <= 4096) return 'low';
  return tokens <= 16_384 ? 'medium' : 'high';
}

function encodeEffort(options: ReasoningOptions, context: EncodeContext): Effort | undefined {
  const changed = (reason: string): void => context.report.add({ action: 'changed', field: 'reasoning', reason });
  if (options.effort !== undefined) {
    if (options.effort !== 'max' || context.isOwn) return options.effort;
    changed('effort max is sent as xhigh');
    return 'xhigh';
  }
  if (options.isDisabled === true) {
    changed('disabled thinking is sent as effort none');
    return 'none';
  }
  if (options.budgetTokens !== undefined) {
    const effort = effortOfBudget(options.budgetTokens);
    changed(`a budget of ${options.budgetTokens} tokens is sent as effort ${effort}`);
    return effort;
  }
  if (options.isAdaptive === true) changed('adaptive thinking is sent as effort medium');
  return options.isAdaptive === true ? 'medium' : undefined;
}

const isOff = (options: ReasoningOptions): boolean => options.isDisabled === true || options.effort === 'none';

function encodeReasoningObject(options: ReasoningOptions): MutableJson {
  const target: MutableJson = {};
  setField(target, 'effort', options.effort);
  setField(target, 'max_tokens', options.budgetTokens);
  if (options.isDisabled === true) target['enabled'] = false;
  else if (options.isAdaptive === true) target['enabled'] = true;
  return target;
}

function encodeThinkingObject(options: ReasoningOptions, form: JsonObject): MutableJson {
  const target: MutableJson = { type: isOff(options) ? 'disabled' : (form['adaptive'] ?? 'enabled') };
  setField(target, 'budget_tokens', options.budgetTokens);
  return target;
}

/** The reverse of `decodeReasoningOptions`: in the provider's declared field, else in the one it came in, else `reasoning_effort`. */
export function encodeReasoningOptions(
  target: MutableJson,
  options: ReasoningOptions | undefined,
  context: EncodeContext,
): void {
  if (options === undefined) return;
  const form = formOf(options.residue, context.dialect);
  const field = context.quirks.reasoningRequest ?? (form['field'] as Field | undefined) ?? 'reasoning_effort';
  if (field === 'none') {
    context.report.add({ action: 'dropped', field: 'reasoning', reason: 'the provider takes no such setting' });
    return;
  }
  const isSameField = form['field'] === field;
  const hasWish = [options.effort, options.budgetTokens, options.isAdaptive, options.isDisabled].some(
    (one) => one !== undefined,
  );
  if (!hasWish && options.residue?.dialect !== context.dialect) {
    context.report.add({
      action: 'dropped',
      field: 'reasoning',
      reason: 'it says neither how much to think nor whether',
    });
  }
  if (field === 'reasoning_effort') setField(target, field, encodeEffort(options, context));
  if (field === 'reasoning') target[field] = encodeReasoningObject(options);
  if (field === 'thinking') target[field] = encodeThinkingObject(options, isSameField ? form : {});
  if (field === 'enable_thinking') {
    target[field] = !isOff(options);
    setField(target, 'thinking_budget', options.budgetTokens);
  }
  if (isSameField && (field === 'reasoning' || field === 'thinking')) {
    target[field] = addResidue({ ...(target[field] as JsonObject) } as MutableJson, options.residue, field, context);
  } else if (options.residue !== undefined && options.residue.dialect !== context.dialect) {
    addResidue({}, options.residue, 'reasoning', context);
  }
  if (options.summary !== undefined && options.summary !== 'none') {
    context.report.add({ action: 'dropped', field: 'reasoning.summary', reason: 'the dialect has no such setting' });
  }
}
