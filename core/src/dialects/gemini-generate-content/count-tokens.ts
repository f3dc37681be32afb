import { GatewayError } from '@bifrost/sdk';
import type { ConversationRequest, JsonObject } from '@bifrost/sdk';
import type { EncodeOptions, RequestHeadHint } from '../codec.ts';
import { FieldReader } from './fields.ts';
import { isOwn } from './form.ts';
import { decodeRequest } from './request-decode.ts';
import { encodeRequest } from './request-encode.ts';

/** Where a countTokens body has the conversation: in it (Vertex, or contents alone), or in `generateContentRequest` (Gemini API). */
type CountTokensForm = 'plain' | 'wrapped';

/** The member of the request's residue that keeps the caller's form. */
const wrapper = 'generateContentRequest';

/** `countTokens`: the conversation of a generateContent request, answered with its number of input tokens. */
export const geminiCountTokens = {
  /** Throws InvalidRequestError as `decodeRequest` of the codec does. */
  decodeRequest(body: JsonObject, hint: RequestHeadHint): ConversationRequest {
    const reader = new FieldReader(body, { path: '', isStrict: true });
    const inner = reader.json(wrapper);
    if (inner === undefined) return decodeRequest(body, hint);
    const request = decodeRequest(inner, hint);
    const said = body[wrapper] === undefined ? 'generate_content_request' : wrapper;
    const { [said]: _, ...rest } = body;
    const residue = request.residue as NonNullable<ConversationRequest['residue']>;
    return { ...request, residue: { ...residue, form: { ...residue.form, wrapper: said, around: rest } } };
  },

  /**
   * The body as the caller wrote it, or by `form`. The Gemini API takes contents alone in a plain body and wants everything else
   * wrapped; Vertex takes plain bodies only. Default: wrapped as soon as there is more than contents.
   */
  encodeRequest(
    request: ConversationRequest,
    options: EncodeOptions & { readonly form?: CountTokensForm },
  ): JsonObject {
    const { wrapper: said, around, ...form } = isOwn(request.residue) ? (request.residue?.form ?? {}) : {};
    const inner = encodeRequest(
      request.residue === undefined ? request : { ...request, residue: { ...request.residue, form } },
      options,
    );
    if (typeof said === 'string' && options.form !== 'plain') return { ...(around as JsonObject), [said]: inner };
    const isContentsOnly = Object.keys(inner).every((name) => name === 'contents');
    const isPlain =
      options.form === 'plain' || (options.form === undefined && (isOwn(request.residue) || isContentsOnly));
    return isPlain ? inner : { [wrapper]: { model: `models/${request.model}`, ...inner } };
  },

  /** Throws GatewayError `BF_DIALECT_RESPONSE_INVALID` where the answer has no count. */
  decodeResponse(body: JsonObject): { readonly inputTokens: number } {
    const inputTokens = new FieldReader(body, { path: '', isStrict: false }).number('totalTokens');
    if (inputTokens !== undefined) return { inputTokens };
    throw new GatewayError('the provider answered countTokens without totalTokens: expected a number', {
      code: 'BF_DIALECT_RESPONSE_INVALID',
      statusCode: 502,
      origin: 'provider',
    });
  },

  encodeResponse({ inputTokens }: { readonly inputTokens: number }): JsonObject {
    return { totalTokens: inputTokens };
  },
};
