import type {
  ConversationRequest,
  DialectName,
  ResponseFormat,
  FunctionTool,
  Json,
  JsonObject,
  Residue,
  ServerTool,
  Tool,
} from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import { asWire } from './exchange.ts';
import { jsonDifferences } from './json-difference.ts';
import type { Difference } from './loss-cover.ts';
import { compareProjections } from './compare-projection.ts';
import { projectMessages } from './projection.ts';

/** Fields of a request that have to come back equal, and the words that a report about them uses. */
const fieldWords = {
  model: /model/i,
  stream: /stream/i,
  toolChoice: /tool_?choice|tool_?config|allowed|^tools$/i,
  isParallelToolCallsAllowed: /parallel/i,
  responseFormat: /format|schema|mime|output_?config|^name$|^strict$|^description$/i,
  reasoning: /reasoning|thinking|effort|budget|^max_tokens$|^summary$|disabled|adaptive/i,
  maxOutputTokens: /max_(completion_|output_)?tokens|maxOutputTokens/i,
  temperature: /temperature/i,
  topP: /top_?p/i,
  topK: /top_?k/i,
  stopSequences: /stop/i,
  seed: /seed/i,
  frequencyPenalty: /frequency_?penalty/i,
  presencePenalty: /presence_?penalty/i,
  logprobs: /logprobs/i,
  topLogprobs: /logprobs/i,
  candidateCount: /^n$|\bn\b|candidate_?count/i,
  userId: /user|safety_identifier|metadata/i,
  serviceTier: /service_?tier/i,
  metadata: /metadata|labels/i,
  modalities: /modalit/i,
} as const satisfies Partial<Record<keyof ConversationRequest, RegExp>>;

type Field = keyof typeof fieldWords;

/** The canonical value without what only its own dialect needs. */
function withoutResidue(value: unknown): Json {
  return JSON.parse(JSON.stringify(value, (key, member: unknown) => (key === 'residue' ? undefined : member))) as Json;
}

/** Values that say no more than an absent field. */
const defaults: Partial<Record<Field, readonly Json[]>> = {
  isParallelToolCallsAllowed: [true],
  toolChoice: [{ type: 'auto' }],
  responseFormat: [{ type: 'text' }],
  candidateCount: [1],
  logprobs: [false],
  topLogprobs: [0],
  stopSequences: [[]],
  modalities: [['text']],
  frequencyPenalty: [0],
  presencePenalty: [0],
  metadata: [{}],
  serviceTier: ['auto'],
};

/** Thinking is off in Anthropic unless it is asked for: not to ask says the same. */
function isOffAnyway(request: ConversationRequest, target: DialectName): boolean {
  const { isDisabled, effort, budgetTokens } = request.reasoning ?? {};
  return target === 'anthropic-messages' && (isDisabled === true || effort === 'none' || budgetTokens === 0);
}

/**
 * The outer members may be more than before (a name that the target requires), the schema has to be the same. Where a dialect has
 * no `strict`, its schemas always are.
 */
function compareFormats(before: ResponseFormat, after: ResponseFormat | undefined): readonly string[] {
  const { strict, ...loose } = { strict: undefined, ...before };
  const isStrictMeant = strict === true && (after === undefined || !('strict' in after));
  const [left, right] = [isStrictMeant ? loose : before, after].map((format) =>
    format === undefined ? undefined : withoutResidue(format),
  );
  const schemas = [before, after].map((format) => (format?.type === 'json-schema' ? asWire(format.schema) : undefined));
  const outer = jsonDifferences(left, right, { limit: 1, isMoreAllowed: true });
  return outer.length > 0 ? outer : jsonDifferences(schemas[0], schemas[1], { limit: 1 });
}

/** Two ways to say that the model must not think are one; an object of nothing but unknown fields asks for nothing. */
function reasoningValue({ reasoning }: ConversationRequest): Json | undefined {
  if (reasoning === undefined) return undefined;
  const { residue: _, ...options } = reasoning;
  const { isDisabled, effort, budgetTokens } = options;
  if (isDisabled === true || effort === 'none' || budgetTokens === 0) return { isDisabled: true };
  // An effort is how much to think; that the model decides when says nothing more beside it.
  const { isAdaptive: _a, ...stated } = options;
  const asked = effort === undefined ? options : stated;
  return Object.keys(asked).length === 0 ? undefined : asWire(asked);
}

function fieldDifference(field: Field, before: ConversationRequest, after: ConversationRequest): string | undefined {
  if (field === 'responseFormat' && before.responseFormat !== undefined) {
    return compareFormats(before.responseFormat, after.responseFormat)[0];
  }
  if (field === 'reasoning') {
    const value = reasoningValue(before);
    return value === undefined
      ? undefined
      : jsonDifferences(value, reasoningValue(after), { limit: 1, isMoreAllowed: true })[0];
  }
  const result = after[field] === undefined ? undefined : withoutResidue(after[field]);
  return jsonDifferences(withoutResidue(before[field]), result, { limit: 1 })[0];
}

function compareFields(
  before: ConversationRequest,
  after: ConversationRequest,
  target: DialectName,
): readonly Difference[] {
  return (Object.keys(fieldWords) as Field[]).flatMap((field): readonly Difference[] => {
    if (before[field] === undefined) return [];
    if (after[field] === undefined) {
      const value = withoutResidue(before[field]);
      const isDefault = defaults[field]?.some((one) => jsonDifferences(one, value, { limit: 1 }).length === 0) === true;
      if (isDefault || (field === 'reasoning' && isOffAnyway(before, target))) return [];
    }
    const difference = fieldDifference(field, before, after);
    return difference === undefined ? [] : [{ what: `${field}: ${difference}`, words: fieldWords[field] }];
  });
}

const functionFields = {
  description: /description/i,
  parameters: /parameters|schema/i,
  strict: /strict/i,
  isFreeform: /custom|freeform|format|type/i,
  grammar: /grammar|format/i,
  cacheControl: /cache/i,
} as const satisfies Partial<Record<keyof FunctionTool, RegExp>>;

const isFunction = (tool: Tool): tool is FunctionTool => tool.type === 'function';

function compareFunction(before: FunctionTool, after: FunctionTool, at: number): readonly Difference[] {
  return (Object.keys(functionFields) as (keyof typeof functionFields)[]).flatMap((field): readonly Difference[] => {
    const value = before[field];
    if (value === undefined || value === false || value === '') return [];
    const [difference] = jsonDifferences(asWire(value), after[field] === undefined ? undefined : asWire(after[field]), {
      limit: 1,
    });
    if (difference === undefined) return [];
    return [{ what: `tool ${before.name}, ${field}: ${difference}`, words: functionFields[field], places: [[at]] }];
  });
}

function compareTools(before: readonly Tool[], after: readonly Tool[]): readonly Difference[] {
  const found: Difference[] = [];
  const functions = after.filter(isFunction);
  for (const [at, tool] of before.entries()) {
    if (isFunction(tool)) {
      const same = functions.find((one) => one.name === tool.name);
      if (same === undefined) found.push({ what: `tool ${tool.name} is gone`, words: /^tools\b/i });
      else found.push(...compareFunction(tool, same, at));
    } else if (!after.some((one) => isSameServerTool(one, tool))) {
      found.push({
        what: `server tool ${tool.name} is gone`,
        words: new RegExp(`^tools$|_options$|^${tool.name.replaceAll(/\W/g, '.')}$`),
      });
    }
  }
  const more = functions.length - before.filter(isFunction).length;
  if (more > 0) found.push({ what: `${more} more tools than before`, words: /^tools\b/i });
  return found;
}

const isSameServerTool = (one: Tool, tool: ServerTool): boolean =>
  one.type === 'server' && one.dialect === tool.dialect;

const named = (name: string): RegExp => new RegExp(`^${name.replaceAll(/[^\\w-]/g, '.')}$`);

/**
 * The fields that only the source's dialect knows, anywhere in a request or an answer; each has to be reported by its name, or
 * with the whole of what it stands in.
 */
export function residueDifferences(value: unknown, inside: Partial<Difference> = {}): readonly Difference[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]: [string, unknown]): readonly Difference[] => {
    if (key === 'value' || key === 'schema' || key === 'parameters') return [];
    if (key === 'residue') return fieldsOf((member as Residue).fields, inside);
    if (!Array.isArray(member)) return residueDifferences(member, inside);
    return member.flatMap((item: unknown, at) => {
      const place = [...(inside.places?.[0] ?? []), at];
      if (key === 'messages' || key === 'parts' || key === 'candidates')
        return residueDifferences(item, { places: [place] });
      return residueDifferences(item, key === 'citations' ? { ...inside, words: /^(citations|annotations)$/ } : inside);
    });
  });
}

function fieldsOf(fields: JsonObject, inside: Partial<Difference>): readonly Difference[] {
  return Object.entries(fields).flatMap(([name, value]): readonly Difference[] => {
    const members = value !== undefined && isJsonObject(value) ? Object.keys(value) : [];
    // An object may be reported as such or, where part of it is known, member by member.
    const words = [named(name), ...members.map(named), ...(inside.words === undefined ? [] : [inside.words])];
    return [{ what: `unknown field ${name}`, ...inside, words: new RegExp(words.map((one) => one.source).join('|')) }];
  });
}

/** Everything of a request that has to survive a translation and did not. */
export function compareRequests(
  before: ConversationRequest,
  after: ConversationRequest,
  target: DialectName,
): readonly Difference[] {
  return [
    ...compareProjections(projectMessages(before.messages), projectMessages(after.messages)),
    ...compareTools(before.tools ?? [], after.tools ?? []),
    ...compareFields(before, after, target),
  ];
}
