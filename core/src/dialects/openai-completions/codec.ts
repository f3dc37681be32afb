import type { DialectCodec } from '../codec.ts';
import { decodeError, encodeError } from '../openai-chat/errors.ts';
import { classifyStreamEvent, readStreamUsage } from '../openai-chat/stream-peek.ts';
import { decodeRequest, encodeRequest } from './request.ts';
import { decodeResponse, encodeResponse } from './response.ts';
import { OpenaiCompletionsStreamDecoder } from './stream-decoder.ts';
import { OpenaiCompletionsStreamEncoder } from './stream-encoder.ts';
import { decodeUsage } from '../openai-chat/usage.ts';

/** OpenAI's legacy `/v1/completions`: a prompt in, text out. */
export const openaiCompletionsCodec: DialectCodec = {
  name: 'openai-completions',
  decodeRequest,
  encodeRequest,
  decodeResponse,
  encodeResponse,
  createStreamDecoder: () => new OpenaiCompletionsStreamDecoder(),
  createStreamEncoder: (options) => new OpenaiCompletionsStreamEncoder(options),
  decodeError,
  encodeError,
  classifyStreamEvent,
  readStreamUsage,
  decodeUsage,
};
