/** What a dialect of embeddings has to provide: pure functions between its JSON and the canonical model, both ways. */
import type { EmbeddingRequest, EmbeddingResponse, JsonObject } from '@bifrost/sdk';
import type { DialectQuirks, LossReport, RequestHeadHint } from '../codec.ts';

export interface EmbeddingEncodeOptions {
  readonly report: LossReport;
  readonly quirks?: DialectQuirks;
  /** The canonical request that this answers: it says in which form the client wants its vectors. */
  readonly request?: EmbeddingRequest;
}

export interface EmbeddingCodec {
  /** Throws InvalidRequestError (`BF_REQUEST_INVALID`, with `param`) where a field is missing or of the wrong type. */
  decodeRequest(body: JsonObject, hint: RequestHeadHint): EmbeddingRequest;
  /** Throws InvalidRequestError (`BF_DIALECT_UNSUPPORTED`) for inputs that the dialect cannot take at all. */
  encodeRequest(request: EmbeddingRequest, options: EmbeddingEncodeOptions): JsonObject;
  /** Throws `BF_DIALECT_RESPONSE_INVALID` for a body that holds no vectors. */
  decodeResponse(body: JsonObject): EmbeddingResponse;
  encodeResponse(response: EmbeddingResponse, options: EmbeddingEncodeOptions): JsonObject;
}
