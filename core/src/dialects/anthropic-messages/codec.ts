import type { AnswerForm } from '../answer-losses.ts';
import { LossReportingEncoder, reportAnswerLosses } from '../answer-losses.ts';
import type { DialectCodec } from '../codec.ts';
import { decodeErrorBody, encodeErrorBody } from './errors.ts';
import { decodeRequestBody } from './request-decode.ts';
import { encodeRequestBody } from './request-encode.ts';
import { dialect } from './residue.ts';
import { decodeResponseBody, encodeResponseBody } from './response.ts';
import { AnthropicStreamDecoder } from './stream-decoder.ts';
import { AnthropicStreamEncoder } from './stream-encoder.ts';
import { classifyEvent, readEventUsage } from './stream-events.ts';
import { sanitizedIdMark } from './tool-call-id.ts';
import { WholeCallsEncoder } from '../whole-calls.ts';

const answerForm: AnswerForm = {
  dialect,
  usageBuckets: new Set([
    'inputTokens',
    'cacheReadTokens',
    'cacheWriteTokens',
    'cacheWrite1hTokens',
    'outputTokens',
    'reasoningTokens',
  ]),
  finishKinds: new Set(['stop', 'length', 'tool-calls', 'refusal', 'pause']),
  isToolCallDerived: true,
  hasStopSequence: true,
};

/** The Anthropic Messages API (`POST /v1/messages`), https://platform.claude.com/docs/en/api/messages. */
export const anthropicMessagesCodec: DialectCodec = {
  name: dialect,
  clientMarks: [sanitizedIdMark],
  decodeRequest: (body, hint) => decodeRequestBody(body, hint, { isMaxTokensRequired: true }),
  encodeRequest: encodeRequestBody,
  decodeResponse: decodeResponseBody,
  encodeResponse(response, options) {
    reportAnswerLosses(response, answerForm, options.report);
    return encodeResponseBody(response, options);
  },
  createStreamDecoder: () => new AnthropicStreamDecoder(),
  createStreamEncoder: (options) =>
    new WholeCallsEncoder(new LossReportingEncoder(new AnthropicStreamEncoder(options), answerForm, options)),
  decodeError: decodeErrorBody,
  encodeError: encodeErrorBody,
  classifyStreamEvent: classifyEvent,
  readStreamUsage: readEventUsage,
};
