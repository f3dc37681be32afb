import type { DialectCodec } from '../codec.ts';
import { decodeError, encodeError } from './errors.ts';
import { decodeRequest } from './request-decode.ts';
import { encodeRequest } from './request-encode.ts';
import { dialect } from './residue.ts';
import { decodeResponse } from './response-decode.ts';
import { encodeResponse } from './response-encode.ts';
import { classifyStreamEvent, readStreamUsage } from './stream-classify.ts';
import { ResponsesStreamDecoder } from './stream-decoder.ts';
import { ResponsesStreamEncoder } from './stream-encoder.ts';
import { decodeUsage } from './usage.ts';
import { WholeCallsEncoder } from '../whole-calls.ts';

/** OpenAI's Responses API (`POST /v1/responses`): https://platform.openai.com/docs/api-reference/responses */
export const openaiResponsesCodec: DialectCodec = {
  name: dialect,
  decodeRequest,
  encodeRequest,
  decodeResponse,
  encodeResponse,
  createStreamDecoder: () => new ResponsesStreamDecoder(),
  createStreamEncoder: (options) => new WholeCallsEncoder(new ResponsesStreamEncoder(options)),
  decodeError,
  encodeError,
  classifyStreamEvent,
  readStreamUsage,
  decodeUsage,
};
