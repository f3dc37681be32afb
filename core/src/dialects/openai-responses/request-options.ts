/** `text.format` and `reasoning` of a request, both ways. */
import type { JsonObject, ReasoningOptions, ResponseFormat } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { booleanField, objectField, stringField } from './json-fields.ts';
import { defined, isOwn, ownRemainder, remainderOf, spread, toResidue } from './residue.ts';

/** The wanted form of the answer; undefined for a format without a canonical name. */
export function decodeFormat(format: JsonObject | undefined): ResponseFormat | undefined {
  if (format === undefined) return undefined;
  const schema = objectField(format, 'schema');
  if (format['type'] === 'text') return { type: 'text', ...toResidue(remainderOf(format, ['type'])) };
  if (format['type'] === 'json_object') return { type: 'json', ...toResidue(remainderOf(format, ['type'])) };
  if (format['type'] !== 'json_schema' || schema === undefined) return undefined;
  return {
    type: 'json-schema',
    schema,
    ...defined({
      name: stringField(format, 'name'),
      description: stringField(format, 'description'),
      strict: booleanField(format, 'strict'),
    }),
    ...toResidue(remainderOf(format, ['type', 'schema', 'name', 'description', 'strict'])),
  };
}

/** `text.format` of a wanted form. */
export function encodeFormat(format: ResponseFormat, isNative: boolean, report: LossReport): JsonObject {
  const own = spread(ownRemainder(format));
  if (format.type === 'text') return { ...own, type: 'text' };
  if (format.type === 'json') return { ...own, type: 'json_object' };
  const { description, strict, schema } = format;
  const name = format.name ?? (isNative ? undefined : 'response');
  if (name !== format.name)
    report.add({ action: 'changed', field: 'text.format.name', reason: 'a schema needs a name here' });
  return { ...own, type: 'json_schema', ...defined({ name, description, strict, schema }) };
}

const efforts: ReadonlySet<unknown> = new Set(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']);
const summaries: ReadonlySet<unknown> = new Set(['auto', 'concise', 'detailed']);

/** The `reasoning` object; undefined where it says nothing with a canonical name, and stays in the request's residue. */
export function decodeReasoningOptions(reasoning: JsonObject | undefined): ReasoningOptions | undefined {
  if (reasoning === undefined) return undefined;
  const { effort, summary } = reasoning;
  const [hasEffort, hasSummary] = [efforts.has(effort), summaries.has(summary)];
  const taken = [...(hasEffort ? ['effort'] : []), ...(hasSummary ? ['summary'] : [])];
  if (!hasEffort && !hasSummary) return undefined;
  return {
    ...(hasEffort ? { effort: effort as Exclude<ReasoningOptions['effort'], undefined> } : {}),
    ...(hasSummary ? { summary: summary as Exclude<ReasoningOptions['summary'], undefined> } : {}),
    ...toResidue(remainderOf(reasoning, taken)),
  };
}

/** The effort that stands for a budget of thinking tokens, where the API knows only efforts. */
function effortOf(budgetTokens: number): 'low' | 'medium' | 'high' {
  if (budgetTokens <= 2048) return 'low';
  return budgetTokens <= 8192 ? 'medium' : 'high';
}

/** The `reasoning` object, or undefined where nothing is to be said. */
export function encodeReasoningOptions(reasoning: ReasoningOptions, report: LossReport): JsonObject | undefined {
  const { budgetTokens, isAdaptive, isDisabled } = reasoning;
  const summary = reasoning.summary === 'none' ? undefined : reasoning.summary;
  let { effort } = reasoning;
  if (isDisabled === true && effort === undefined) {
    report.add({
      action: 'dropped',
      field: 'reasoning',
      reason: 'not every model of the Responses API can be told not to think',
    });
  } else if (budgetTokens !== undefined) {
    effort ??= effortOf(budgetTokens);
    report.add({ action: 'changed', field: 'reasoning', reason: `sent as reasoning.effort ${effort}` });
  }
  if (isAdaptive === true) {
    report.add({
      action: 'dropped',
      field: 'reasoning',
      reason: 'the model decides by itself how much it thinks',
    });
  }
  const encoded = { ...spread(ownRemainder(reasoning)), ...defined({ effort, summary }) };
  return Object.keys(encoded).length === 0 && !isOwn(reasoning) && reasoning.residue !== undefined
    ? undefined
    : encoded;
}
