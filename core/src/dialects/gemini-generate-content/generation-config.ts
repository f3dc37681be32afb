import type { ConversationRequest, JsonObject, ResponseFormat } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { defined, present } from './fields.ts';
import type { FieldReader } from './fields.ts';
import { isOwn } from './form.ts';
import { toJsonSchema } from './schema.ts';
import { thinkingSupportOf } from './models.ts';
import { decodeThinking, encodeNativeThinking, encodeThinking } from './thinking.ts';

/** The canonical fields that `generationConfig` carries. */
export type GenerationFields = Partial<
  Pick<
    ConversationRequest,
    | 'maxOutputTokens'
    | 'temperature'
    | 'topP'
    | 'topK'
    | 'stopSequences'
    | 'seed'
    | 'frequencyPenalty'
    | 'presencePenalty'
    | 'logprobs'
    | 'topLogprobs'
    | 'candidateCount'
    | 'modalities'
    | 'responseFormat'
    | 'reasoning'
  >
>;

/** Wire names of fields that have another name or form, for the round trip. */
export const generationForm = {
  leaves: ['responseJsonSchema'],
  aliases: { responseSchema: 'responseJsonSchema', _responseJsonSchema: 'responseJsonSchema' },
} as const;

function decodeResponseFormat(config: FieldReader): ResponseFormat | undefined {
  const mediaType = config.string('responseMimeType');
  if (mediaType === 'text/plain') return { type: 'text' };
  if (mediaType !== 'application/json') return undefined; // `text/x.enum` and the like have no name here
  const google = config.json('responseSchema');
  const schema =
    config.json('responseJsonSchema') ??
    config.json('_responseJsonSchema') ??
    (google === undefined ? undefined : toJsonSchema(google));
  return schema === undefined ? { type: 'json' } : { type: 'json-schema', schema };
}

/** Reads `generationConfig`. */
export function decodeGenerationConfig(config: FieldReader): GenerationFields {
  const thinking = config.child('thinkingConfig');
  return present({
    maxOutputTokens: config.number('maxOutputTokens'),
    temperature: config.number('temperature'),
    topP: config.number('topP'),
    topK: config.number('topK'),
    stopSequences: config.strings('stopSequences'),
    seed: config.number('seed'),
    frequencyPenalty: config.number('frequencyPenalty'),
    presencePenalty: config.number('presencePenalty'),
    logprobs: config.boolean('responseLogprobs'),
    topLogprobs: config.number('logprobs'),
    candidateCount: config.number('candidateCount'),
    modalities: config.strings('responseModalities')?.map((modality) => modality.toLowerCase()),
    responseFormat: decodeResponseFormat(config),
    reasoning: thinking === undefined ? undefined : decodeThinking(thinking),
  });
}

/** The member of a request's `residue.form` that names the model it was written for. */
export const modelNote = '~model';

/** True for thinking settings that came in Gemini's own words, for a model that takes the same ones as the one asked now. */
function isNativeThinking({ residue, model }: ConversationRequest): boolean {
  if (!isOwn(residue)) return false;
  const before = residue?.form?.[modelNote];
  return typeof before !== 'string' || thinkingSupportOf(before).by === thinkingSupportOf(model).by;
}

function thinkingConfigOf(request: ConversationRequest, report: LossReport): JsonObject | undefined {
  const { reasoning, model } = request;
  if (reasoning === undefined) return undefined;
  return isNativeThinking(request) ? encodeNativeThinking(reasoning) : encodeThinking(reasoning, { model, report });
}

/** Writes `generationConfig`; undefined when nothing is set, except that a client of this dialect may have sent it empty. */
export function encodeGenerationConfig(request: ConversationRequest, report: LossReport): JsonObject | undefined {
  const { responseFormat: format } = request;
  const mediaType = format === undefined ? undefined : format.type === 'text' ? 'text/plain' : 'application/json';
  const config = defined({
    maxOutputTokens: request.maxOutputTokens,
    temperature: request.temperature,
    topP: request.topP,
    topK: request.topK,
    stopSequences: request.stopSequences,
    seed: request.seed,
    frequencyPenalty: request.frequencyPenalty,
    presencePenalty: request.presencePenalty,
    responseLogprobs: request.logprobs,
    logprobs: request.topLogprobs,
    candidateCount: request.candidateCount,
    responseModalities: request.modalities?.map((modality) => modality.toUpperCase()),
    responseMimeType: mediaType,
    responseJsonSchema: format?.type === 'json-schema' ? format.schema : undefined,
    thinkingConfig: thinkingConfigOf(request, report),
  });
  return Object.keys(config).length === 0 && !isOwn(request.residue) ? undefined : config;
}
