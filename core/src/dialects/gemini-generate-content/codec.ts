import type { AnswerForm } from '../answer-losses.ts';
import { LossReportingEncoder, reportAnswerLosses } from '../answer-losses.ts';
import type { DialectCodec } from '../codec.ts';
import { classifyStreamEvent, readStreamUsage } from './classify.ts';
import { decodeError, encodeError } from './errors.ts';
import { dialect } from './form.ts';
import { decodeRequest } from './request-decode.ts';
import { encodeRequest } from './request-encode.ts';
import { decodeResponse, encodeResponse } from './responses.ts';
import { GeminiStreamDecoder } from './stream-decoder.ts';
import { GeminiStreamEncoder } from './stream-encoder.ts';

const answerForm: AnswerForm = {
  dialect,
  usageBuckets: new Set([
    'inputTokens',
    'cacheReadTokens',
    'toolUseInputTokens',
    'inputAudioTokens',
    'inputImageTokens',
    'outputTokens',
    'reasoningTokens',
    'outputAudioTokens',
    'outputImageTokens',
  ]),
  // A refusal and a filter are both SAFETY; calls are told by the parts.
  finishKinds: new Set(['stop', 'length', 'tool-calls', 'content-filter', 'other']),
  isToolCallDerived: true,
  hasStopSequence: false,
};

/** Google's generateContent and streamGenerateContent, of the Gemini API and of Vertex AI. */
export const geminiGenerateContentCodec: DialectCodec = {
  name: dialect,
  decodeRequest,
  encodeRequest,
  decodeResponse,
  encodeResponse(response, options) {
    reportAnswerLosses(response, answerForm, options.report);
    return encodeResponse(response, options);
  },
  createStreamDecoder: () => new GeminiStreamDecoder(),
  createStreamEncoder: (options) => new LossReportingEncoder(new GeminiStreamEncoder(options), answerForm, options),
  decodeError,
  encodeError,
  classifyStreamEvent,
  readStreamUsage,
};
