export type * from './config.ts';
export { ResponseAccumulator } from './conversation/accumulator.ts';
export { framesOf } from './conversation/response-frames.ts';
export { anthropicMessagesCodec } from './dialects/anthropic-messages/codec.ts';
export { anthropicCountTokens } from './dialects/anthropic-messages/count-tokens.ts';
export type { CountTokensCodec, TokenCount } from './dialects/anthropic-messages/count-tokens.ts';
export type * from './dialects/codec.ts';
export type { Provenance } from './dialects/provenance.ts';
export { packToolCallId, tagOpaque, unpackToolCallId, untagOpaque } from './dialects/provenance.ts';
export { geminiGenerateContentCodec } from './dialects/gemini-generate-content/codec.ts';
export { geminiCountTokens } from './dialects/gemini-generate-content/count-tokens.ts';
export {
  formatJsonArrayStream,
  JsonArrayStreamParser,
  JsonArrayStreamWriter,
} from './dialects/gemini-generate-content/json-array-stream.ts';
export type * from './plugins/chain.ts';
export type * from './pipeline/seam.ts';
export type * from './providers/provider.ts';
export type { SseEvent } from './sse/event.ts';
export { formatSse, parseSse, SseParser } from './sse/parser.ts';
export { createPluginChains } from './plugins/create-plugin-chains.ts';
export type * from './plugins/create-plugin-chains.ts';
export type * from './plugins/hook-figures.ts';
export type * from './plugins/instance.ts';
export { LocalSharedState } from './plugins/local-shared-state.ts';
export { RequestContext, requestOf } from './plugins/request-context.ts';
export type { ContextOwner } from './plugins/request-context.ts';
export { defaultTimeoutMs } from './plugins/hook-entry.ts';
export { refusedRange } from './upstream/address-rule.ts';
export type { RefusedRange } from './upstream/address-rule.ts';
export { messageOf } from './plugins/hook-failure.ts';
export { settleWithin } from './plugins/settle-within.ts';
export type { Settled } from './plugins/settle-within.ts';
export { openaiChatCodec } from './dialects/openai-chat/codec.ts';
export { openaiResponsesCodec } from './dialects/openai-responses/codec.ts';
export { createEngine } from './pipeline/engine.ts';
export type { EngineLogger, EngineOptions } from './pipeline/engine.ts';
export { createCustomDefinition } from './providers/custom.ts';
export type { CustomProviderOptions } from './providers/custom.ts';
export { providerDefinitions } from './providers/definitions.ts';
export { mockProviderConfig } from './providers/mock/config.ts';
export { openaiCompletionsCodec } from './dialects/openai-completions/codec.ts';
export type * from './dialects/embeddings/codec.ts';
export { geminiEmbeddingAction, geminiEmbeddings } from './dialects/embeddings/gemini.ts';
export { openaiEmbeddings } from './dialects/embeddings/openai.ts';
export { listProviderModels } from './models/list-provider-models.ts';
export type { KeyModels, ListProviderModelsOptions } from './models/list-provider-models.ts';
export type { ListedModel } from './models/parse-model-list.ts';
