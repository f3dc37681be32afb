import type { DialectCodec } from '../codec.ts';
import { decodeError, encodeError } from './errors.ts';
import { decodeRequest } from './request-decode.ts';
import { encodeRequest } from './request-encode.ts';
import { decodeResponse } from './response-decode.ts';
import { encodeResponse } from './response-encode.ts';
import { OpenaiChatStreamDecoder } from './stream-decoder.ts';
import { OpenaiChatStreamEncoder } from './stream-encoder.ts';
import { classifyStreamEvent, readStreamUsage } from './stream-peek.ts';
import { decodeUsage } from './usage.ts';
import { WholeCallsEncoder } from '../whole-calls.ts';

/** OpenAI Chat Completions and the many servers that speak it. */
export const openaiChatCodec: DialectCodec = {
  name: 'openai-chat',
  decodeRequest,
  encodeRequest,
  decodeResponse,
  encodeResponse,
  createStreamDecoder: () => new OpenaiChatStreamDecoder(),
  createStreamEncoder: (options) => new WholeCallsEncoder(new OpenaiChatStreamEncoder(options)),
  decodeError,
  encodeError,
  classifyStreamEvent,
  readStreamUsage,
  decodeUsage,
};
