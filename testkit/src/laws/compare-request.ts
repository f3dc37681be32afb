import type { ConversationRequest, FunctionTool, Json, ServerTool, Tool } from '@bifrost/sdk';
import { asWire } from './exchange.ts';
import { jsonDifferences } from './json-difference.ts';
import type { Difference } from './loss-cover.ts';
import { compareProjections } from './compare-projection.ts';
import { projectMessages } from './projection.ts';

/** Fields of a request that have to come back equal, and the words that a report about them uses. */
const fieldWords = {
  model: /model/i,
  stream: /stream/i,
  toolChoice: /tool_?choice|tool_?config|allowed/i,
  isParallelToolCallsAllowed: /parallel/i,
  responseFormat:
    /response_?format|response_?schema|response_?(json_?)?(schema|mime)|text\.format|output_?(config|format)|format/i,
  reasoning: /reasoning|thinking|effort/i,
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

function compareFields(before: ConversationRequest, after: ConversationRequest): readonly Difference[] {
  return (Object.keys(fieldWords) as Field[]).flatMap((field): readonly Difference[] => {
    if (before[field] === undefined) return [];
    const value = withoutResidue(before[field]);
    const isDefault = defaults[field]?.some((one) => jsonDifferences(one, value, 1).length === 0) === true;
    if (isDefault && after[field] === undefined) return [];
    const result = after[field] === undefined ? undefined : withoutResidue(after[field]);
    const [difference] = jsonDifferences(value, result, 1);
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
    const [difference] = jsonDifferences(
      asWire(value),
      after[field] === undefined ? undefined : asWire(after[field]),
      1,
    );
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
      found.push({ what: `server tool ${tool.name} is gone`, words: /^tools\b|_options\b/i });
    }
  }
  const more = functions.length - before.filter(isFunction).length;
  if (more > 0) found.push({ what: `${more} more tools than before`, words: /^tools\b/i });
  return found;
}

const isSameServerTool = (one: Tool, tool: ServerTool): boolean =>
  one.type === 'server' && one.dialect === tool.dialect;

/** Names of the fields that only the source's dialect knows, anywhere in the request; each has to be reported. */
export function residueNames(value: unknown, found = new Set<string>()): ReadonlySet<string> {
  if (Array.isArray(value)) for (const item of value) residueNames(item, found);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      if (key === 'residue') {
        for (const name of Object.keys((member as { readonly fields: object }).fields)) found.add(name);
      } else if (key !== 'value' && key !== 'schema' && key !== 'parameters') residueNames(member, found);
    }
  }
  return found;
}

/** A report names a field by its own name in the path. */
export function residueDifferences(value: unknown): readonly Difference[] {
  return [...residueNames(value)].map((name) => ({
    what: `unknown field ${name}`,
    words: new RegExp(`(^|[.\\]])${name.replaceAll(/[^\w-]/g, '.')}($|[.\\[])`),
  }));
}

/** Everything of a request that has to survive a translation and did not. */
export function compareRequests(before: ConversationRequest, after: ConversationRequest): readonly Difference[] {
  return [
    ...compareProjections(projectMessages(before.messages), projectMessages(after.messages)),
    ...compareTools(before.tools ?? [], after.tools ?? []),
    ...compareFields(before, after),
  ];
}
