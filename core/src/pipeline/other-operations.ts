import { InvalidRequestError } from '@bifrost/sdk';
import type { ConversationRequest, DialectName, EmbeddingRequest, EmbeddingResponse, JsonObject } from '@bifrost/sdk';
import { anthropicCountTokens } from '../dialects/anthropic-messages/count-tokens.ts';
import type { EncodeOptions, Loss, RequestHeadHint } from '../dialects/codec.ts';
import type { EmbeddingCodec } from '../dialects/embeddings/codec.ts';
import { geminiEmbeddingAction, geminiEmbeddings } from '../dialects/embeddings/gemini.ts';
import { openaiEmbeddings } from '../dialects/embeddings/openai.ts';
import { geminiCountTokens } from '../dialects/gemini-generate-content/count-tokens.ts';
import type { Surface } from '../providers/provider.ts';
import { parseBody } from './encode-request.ts';
import type { RequestRun } from './run.ts';

/** The codec of a counting endpoint. */
interface CountTokensCodec {
  decodeRequest(body: JsonObject, hint: RequestHeadHint): ConversationRequest;
  encodeRequest(request: ConversationRequest, options: EncodeOptions): JsonObject;
  decodeResponse(body: JsonObject): { readonly inputTokens: number };
  encodeResponse(count: { readonly inputTokens: number }): JsonObject;
}

const countTokens: Partial<Readonly<Record<DialectName, CountTokensCodec>>> = {
  'anthropic-messages': anthropicCountTokens,
  'gemini-generate-content': geminiCountTokens,
};

const embeddings: Partial<Readonly<Record<DialectName, EmbeddingCodec>>> = {
  'openai-chat': openaiEmbeddings,
  'gemini-generate-content': geminiEmbeddings,
};

function codecFor<Codec>(
  table: Partial<Readonly<Record<DialectName, Codec>>>,
  dialect: DialectName,
  run: RequestRun,
): Codec {
  const codec = table[dialect];
  if (codec !== undefined) return codec;
  throw new InvalidRequestError(`${run.request.route.requestType} does not exist in the dialect ${dialect}`, {
    code: 'BF_OPERATION_UNSUPPORTED',
  });
}

function hintOf(run: RequestRun): RequestHeadHint {
  return { model: run.modelText };
}

/** The client's embedding request in the canonical model. Throws InvalidRequestError. */
export function embeddingRequestOf(run: RequestRun): EmbeddingRequest {
  return codecFor(embeddings, run.request.route.dialect, run).decodeRequest(parseBody(run), hintOf(run));
}

/** A canonical embedding answer as the client's JSON. */
export function encodeEmbeddings(run: RequestRun, response: EmbeddingResponse, losses: Loss[]): JsonObject {
  const options = { report: { add: (loss: Loss) => void losses.push(loss) }, request: embeddingRequestOf(run) };
  return codecFor(embeddings, run.request.route.dialect, run).encodeResponse(response, options);
}

/** The conversation of a counting request. Throws InvalidRequestError. */
export function countedConversationOf(run: RequestRun): ConversationRequest {
  return codecFor(countTokens, run.request.route.dialect, run).decodeRequest(parseBody(run), hintOf(run));
}

/** A count as the client's JSON. */
export function encodeCount(run: RequestRun, inputTokens: number): JsonObject {
  return codecFor(countTokens, run.request.route.dialect, run).encodeResponse({ inputTokens });
}

/** A request that is no conversation, for a provider of another dialect; `action` where its path depends on the body. */
export function encodeOther(
  run: RequestRun,
  surface: Surface,
  model: string,
  losses: Loss[],
): { readonly body: Buffer; readonly action?: string } {
  const report = { add: (loss: Loss) => void losses.push(loss) };
  const options = surface.quirks === undefined ? { report } : { report, quirks: surface.quirks };
  if (run.request.route.operation === 'count-tokens') {
    const request = { ...countedConversationOf(run), model };
    const json = codecFor(countTokens, surface.dialect, run).encodeRequest(request, options);
    return { body: Buffer.from(JSON.stringify(json)) };
  }
  const json = codecFor(embeddings, surface.dialect, run).encodeRequest({ ...embeddingRequestOf(run), model }, options);
  return {
    body: Buffer.from(JSON.stringify(json)),
    ...(surface.dialect === 'gemini-generate-content' ? { action: geminiEmbeddingAction(json) } : {}),
  };
}

/** The provider's answer to such a request, as the client's JSON. */
export function translateOther(run: RequestRun, surface: Surface, body: JsonObject, losses: Loss[]): JsonObject {
  if (run.request.route.operation === 'count-tokens') {
    return encodeCount(run, codecFor(countTokens, surface.dialect, run).decodeResponse(body).inputTokens);
  }
  const response = codecFor(embeddings, surface.dialect, run).decodeResponse(body);
  run.usage = response.usage;
  return encodeEmbeddings(run, response, losses);
}
