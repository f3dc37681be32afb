/** `POST /v1/messages/count_tokens`: a messages body in, a number out. */
import type { ConversationRequest, JsonObject } from '@bifrost/sdk';
import { GatewayError } from '@bifrost/sdk';
import type { EncodeOptions } from '../codec.ts';
import { decodeRequestBody } from './request-decode.ts';
import { encodeRequestBody } from './request-encode.ts';

/** Members of a messages request that the counting endpoint refuses. */
const refused: readonly string[] = [
  'max_tokens',
  'stream',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'metadata',
  'service_tier',
  'container',
  'inference_geo',
  'diagnostics',
];

/** How many tokens a prompt has. */
export interface TokenCount {
  readonly inputTokens: number;
}

/** The codec of the counting endpoint. */
export interface CountTokensCodec {
  /** As a messages request, but `max_tokens` may be absent. Throws InvalidRequestError. */
  decodeRequest(body: JsonObject): ConversationRequest;
  encodeRequest(request: ConversationRequest, options: EncodeOptions): JsonObject;
  /** Throws `BF_DIALECT_RESPONSE_INVALID` for a body without the count. */
  decodeResponse(body: JsonObject): TokenCount;
  encodeResponse(count: TokenCount): JsonObject;
}

/** Anthropic's counting endpoint. */
export const anthropicCountTokens: CountTokensCodec = {
  decodeRequest(body) {
    return decodeRequestBody(body, {}, { isMaxTokensRequired: false });
  },
  encodeRequest(request, options) {
    const body: Record<string, JsonObject[string]> = { ...encodeRequestBody(request, options) };
    for (const field of refused) delete body[field];
    return body;
  },
  decodeResponse(body) {
    const inputTokens = body['input_tokens'];
    if (typeof inputTokens !== 'number') {
      throw new GatewayError('the provider answered a token count without the number input_tokens', {
        code: 'BF_DIALECT_RESPONSE_INVALID',
        statusCode: 502,
        origin: 'provider',
      });
    }
    return { inputTokens };
  },
  encodeResponse({ inputTokens }) {
    return { input_tokens: inputTokens };
  },
};
