import type { DialectCodec } from '../codec.ts';
import { classifyStreamEvent, readStreamUsage } from './classify.ts';
import { decodeError, encodeError } from './errors.ts';
import { dialect } from './form.ts';
import { decodeRequest } from './request-decode.ts';
import { encodeRequest } from './request-encode.ts';
import { decodeResponse, encodeResponse } from './responses.ts';
import { GeminiStreamDecoder } from './stream-decoder.ts';
import { GeminiStreamEncoder } from './stream-encoder.ts';

/** Google's generateContent and streamGenerateContent, of the Gemini API and of Vertex AI. */
export const geminiGenerateContentCodec: DialectCodec = {
  name: dialect,
  decodeRequest,
  encodeRequest,
  decodeResponse,
  encodeResponse,
  createStreamDecoder: () => new GeminiStreamDecoder(),
  createStreamEncoder: (options) => new GeminiStreamEncoder(options),
  decodeError,
  encodeError,
  classifyStreamEvent,
  readStreamUsage,
};
