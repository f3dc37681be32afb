/** The canonical request as request JSON. A request of an Anthropic client is written as it was; any other is made to fit. */
import type { ConversationRequest, Json, JsonObject, ResponseFormat } from '@bifrost/sdk';
import type { EncodeOptions, LossReport } from '../codec.ts';
import { present } from './fields.ts';
import type { Fields } from './fields.ts';
import { encodeMessages } from './messages.ts';
import { isOwn, reportForeign, withResidue } from './residue.ts';
import { defaultMaxTokens, encodeForeignThinking, encodeOwnThinking } from './thinking.ts';
import type { ThinkingFields } from './thinking.ts';
import { encodeToolChoice, encodeTools } from './tools.ts';

/** Canonical members that Anthropic has no word for, under the names that the callers know them by. */
const unsupported = {
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  seed: 'seed',
  topLogprobs: 'top_logprobs',
  metadata: 'metadata',
} as const satisfies Partial<Record<keyof ConversationRequest, string>>;

function reportUnsupported(request: ConversationRequest, report: LossReport): void {
  const drop = (field: string): void =>
    report.add({ action: 'dropped', field, reason: 'Anthropic has no such setting' });
  for (const [member, field] of Object.entries(unsupported)) {
    const value = request[member as keyof typeof unsupported];
    if (value !== undefined && value !== 0) drop(field);
  }
  if (request.logprobs === true) drop('logprobs');
  if ((request.candidateCount ?? 1) > 1) drop('n');
  if (request.modalities?.some((modality) => modality !== 'text') === true) drop('modalities');
  reportForeign(request.residue, '', report);
  reportForeign(request.reasoning?.residue, 'reasoning', report);
}

interface FormatFields {
  readonly outputFormat?: JsonObject;
  readonly format?: JsonObject;
}

function encodeFormat(format: ResponseFormat | undefined, report: LossReport): FormatFields {
  if (format === undefined || format.type === 'text') return {};
  reportForeign(format.residue, 'response_format', report);
  if (format.type === 'json') {
    const reason = 'Anthropic writes JSON after a schema only: ask for json_schema';
    report.add({ action: 'dropped', field: 'response_format', reason });
    return {};
  }
  const lost = (['name', 'description', 'strict'] as const).filter(
    (member) => format[member] !== undefined && format[member] !== true,
  );
  if (lost.length > 0) {
    const reason = `Anthropic's output format is the schema alone, without ${lost.join(' and ')}`;
    report.add({ action: 'changed', field: 'response_format', reason });
  }
  const encoded: Fields = { type: 'json_schema', schema: format.schema };
  if (!isOwn(format)) return { format: encoded };
  const { name: isNamed, ...form } = format.residue?.form ?? {};
  const whole = withResidue(encoded, format.residue === undefined ? undefined : { ...format.residue, form });
  return isNamed === 'output_format' ? { outputFormat: whole } : { format: whole };
}

const serviceTiers: Readonly<Record<string, string>> = {
  auto: 'auto',
  standard_only: 'standard_only',
  default: 'standard_only',
};

function foreignTier(tier: string | undefined, report: LossReport): string | undefined {
  if (tier === undefined) return undefined;
  const known = Object.hasOwn(serviceTiers, tier) ? serviceTiers[tier] : undefined;
  if (known === undefined) {
    report.add({ action: 'dropped', field: 'service_tier', reason: `Anthropic has no service tier "${tier}"` });
  }
  return known;
}

type Sampling = Pick<ConversationRequest, 'temperature' | 'topP' | 'topK'>;

function foreignSampling(request: ConversationRequest, isThinking: boolean, report: LossReport): Sampling {
  let { temperature, topP, topK } = request;
  const drop = (field: string): undefined => {
    report.add({ action: 'dropped', field, reason: 'Anthropic refuses it together with thinking' });
    return undefined;
  };
  if (isThinking) {
    if (temperature !== undefined && temperature !== 1) temperature = drop('temperature');
    if (topP !== undefined && topP < 0.95) topP = drop('top_p');
    if (topK !== undefined) topK = drop('top_k');
  }
  if (temperature !== undefined && temperature > 1) {
    report.add({
      action: 'changed',
      field: 'temperature',
      reason: `lowered from ${temperature}: Anthropic takes 0 to 1`,
    });
    temperature = 1;
  }
  return present({ temperature, topP, topK });
}

function foreignStops(stops: readonly string[] | undefined, report: LossReport): readonly string[] | undefined {
  const usable = stops?.filter((stop) => stop.trim() !== '');
  if (usable?.length !== stops?.length) {
    report.add({
      action: 'dropped',
      field: 'stop',
      reason: 'Anthropic refuses stop sequences of nothing but white space',
    });
  }
  return usable === undefined || usable.length === 0 ? undefined : usable;
}

function settings(request: ConversationRequest, thinking: ThinkingFields, report: LossReport): Fields {
  const own = isOwn(request);
  const isThinking = thinking.thinking !== undefined && thinking.thinking['type'] !== 'disabled';
  const sampling: Sampling = own ? request : foreignSampling(request, isThinking, report);
  return present({
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: sampling.topK,
    stop_sequences: own ? request.stopSequences : foreignStops(request.stopSequences, report),
    metadata: request.userId === undefined ? undefined : { user_id: request.userId },
    service_tier: own ? request.serviceTier : foreignTier(request.serviceTier, report),
  });
}

/** Canonical to request JSON. Losses go to `options.report`. */
export function encodeRequestBody(request: ConversationRequest, options: EncodeOptions): JsonObject {
  const { report } = options;
  reportUnsupported(request, report);
  const thinking = isOwn(request)
    ? encodeOwnThinking(request.reasoning, request.maxOutputTokens ?? defaultMaxTokens)
    : encodeForeignThinking(request, report);
  const { outputFormat, format } = encodeFormat(request.responseFormat, report);
  const outputConfig = present({ effort: thinking.effort, format });
  const { system, messages } = encodeMessages(request, report);
  const tools = encodeTools(request, report);
  const hasTools = tools !== undefined && tools.length > 0;
  const encoded: Fields = present({
    model: request.model,
    max_tokens: thinking.maxTokens as Json,
    system,
    messages,
    tools,
    tool_choice: encodeToolChoice(request, hasTools, report),
    thinking: thinking.thinking,
    output_config: Object.keys(outputConfig).length === 0 ? undefined : outputConfig,
    output_format: outputFormat,
    ...settings(request, thinking, report),
    stream: request.stream ? true : undefined,
  });
  return withoutUnsupported(withResidue(encoded, request.residue), options);
}

/** Leaves out what the provider's quirks say it refuses. */
function withoutUnsupported(body: Fields, options: EncodeOptions): JsonObject {
  for (const field of options.quirks?.unsupportedFields ?? []) {
    if (body[field] === undefined) continue;
    delete body[field];
    options.report.add({ action: 'dropped', field, reason: 'this provider refuses it' });
  }
  return body;
}
