import { InvalidRequestError } from '@bifrost/sdk';
import type { DialectName } from '@bifrost/sdk';
import type { KeyConfig } from '../config.ts';
import type { DialectCodec, Loss } from '../dialects/codec.ts';
import type { Surface } from '../providers/provider.ts';
import type { Place } from '../reliability/gate.ts';
import { resolveAlias } from '../reliability/key-selection.ts';
import type { UpstreamRequest } from '../upstream/call.ts';
import type { RequestBody } from '../upstream/request-body.ts';
import { encodeRequest } from './encode-request.ts';
import { locateRequest } from './locate-request.ts';
import { buildOutboundHeaders } from './outbound-headers.ts';
import { encodeOther } from './other-operations.ts';
import type { ProviderRuntime } from './provider-runtime.ts';
import { holdsWrappedValues } from './wrapped-values.ts';
import type { Target } from './resolve-model.ts';
import type { Lane, RequestRun } from './run.ts';
import { spliceRequest } from './splice-request.ts';

/** All that one attempt needs: where it goes, with which key and bytes, on which lane. */
export interface AttemptPlan {
  readonly runtime: ProviderRuntime;
  readonly key: KeyConfig;
  /** The model as the provider is asked for it. */
  readonly model: string;
  /** The codec of the dialect spoken with the provider. */
  readonly codec: DialectCodec;
  readonly surface: Surface;
  readonly lane: Lane;
  readonly losses: Loss[];
  readonly isUsageWithheld: boolean;
  readonly request: UpstreamRequest;
  /** The place in the provider's queue. */
  readonly place: Place;
}

/** The conversation dialect whose errors and routes an embeddings dialect shares. */
const embeddingsDialects: Readonly<Record<'openai' | 'gemini', DialectName>> = {
  openai: 'openai-chat',
  gemini: 'gemini-generate-content',
};

/** What `allowed_requests` calls a conversation in each dialect, without the stream suffix. */
const conversationTypes: Readonly<Record<DialectName, string>> = {
  'openai-chat': 'chat_completion',
  'openai-completions': 'text_completion',
  'openai-responses': 'responses',
  'anthropic-messages': 'chat_completion',
  'gemini-generate-content': 'chat_completion',
};

/**
 * The way into a provider for a conversation: its own surface of the client's dialect, else the first that the operator allows. A
 * provider with `responses` alone is thus reached from every dialect, by translation.
 */
function conversationSurface(run: RequestRun, runtime: ProviderRuntime): Surface | undefined {
  const { definition, allowedRequests } = runtime.config;
  const suffix = run.isStream ? '_stream' : '';
  const isAllowed = (surface: Surface): boolean =>
    allowedRequests === undefined || allowedRequests.includes(`${conversationTypes[surface.dialect]}${suffix}`);
  const own = runtime.surfaceOf(run.request.route.dialect);
  if (own !== undefined && isAllowed(own)) return own;
  const allowed = definition.surfaces.find(isAllowed);
  if (allowed === undefined && definition.surfaces.length > 0) throw notAllowed(run, runtime);
  return allowed;
}

/**
 * The way into a provider for this request. Throws InvalidRequestError where it has none, or where the operator did not allow this
 * kind of request (`allowed_requests`).
 */
export function chooseSurface(run: RequestRun, runtime: ProviderRuntime): Surface {
  const { definition } = runtime.config;
  const { operation } = run.request.route;
  const nativeDialect = definition.surfaces[0]?.dialect ?? 'openai-chat';
  if (operation === 'conversation') {
    const surface = conversationSurface(run, runtime);
    if (surface !== undefined) return surface;
  } else if (operation === 'embeddings') {
    const own = embeddingsDialects[definition.embeddingsDialect ?? 'openai'];
    if (definition.embeddingsPath !== undefined) return { dialect: own, path: definition.embeddingsPath };
  } else if (definition.countTokensPath !== undefined) {
    return { dialect: nativeDialect, path: definition.countTokensPath };
  }
  throw new InvalidRequestError(
    `the provider ${runtime.name} does not offer the operation ${run.request.route.requestType}`,
    {
      code: 'BF_OPERATION_UNSUPPORTED',
    },
  );
}

/** Throws InvalidRequestError where the operator did not allow this kind of request. */
export function assertAllowed(run: RequestRun, runtime: ProviderRuntime): void {
  const allowed = runtime.config.allowedRequests;
  if (allowed === undefined) return;
  if (run.request.route.operation === 'conversation') chooseSurface(run, runtime);
  else if (!allowed.includes(run.requestType)) throw notAllowed(run, runtime);
}

function notAllowed(run: RequestRun, runtime: ProviderRuntime): InvalidRequestError {
  return new InvalidRequestError(
    `the provider ${runtime.name} is configured without the request type ${run.requestType}`,
    { code: 'BF_OPERATION_NOT_ALLOWED' },
  );
}

/** Forms the attempt's request. Throws InvalidRequestError for what the provider cannot be asked. */
export function planAttempt(run: RequestRun, target: Target, key: KeyConfig, place: Place): AttemptPlan {
  const { runtime } = target;
  const surface = chooseSurface(run, runtime);
  const model = resolveAlias(key, target.model);
  const codec = run.services.codecOf(surface.dialect);
  const losses: Loss[] = [];
  const isOtherDialect = surface.dialect !== run.request.route.dialect;
  const isTranslated = isOtherDialect || run.isConversationChanged || holdsWrappedValues(run);
  let lane: Lane = 'translated';
  let body: RequestBody;
  let isUsageWithheld = false;
  let action: string | undefined;
  if (isTranslated) {
    const encoded = encodeFor(run, surface, model, losses);
    if (isOtherDialect) assertSelfContained(losses, runtime);
    body = encoded.body;
    action = encoded.action;
  } else {
    const spliced = spliceRequest(run, model, hasUsageOption(surface));
    lane = spliced.isChanged || run.request.route.streamFraming === 'json-array' ? 'spliced' : 'identical';
    body = spliced.body;
    isUsageWithheld = spliced.isUsageAdded;
  }
  const headers = buildOutboundHeaders(run, runtime, key);
  const { origin, path } = locateRequest(run, { runtime, key, surface, model, isOtherDialect, action });
  const request = { origin, path, headers, body };
  return { runtime, key, model, codec, surface, lane, losses, isUsageWithheld, request, place };
}

/** What only the maker of an earlier response holds, of whom another provider knows nothing. */
const continuedFields = new Set(['previous_response_id', 'conversation', 'prompt']);

/** Throws InvalidRequestError where the request is not whole without what another provider keeps: its answer would be to something else. */
function assertSelfContained(losses: readonly Loss[], runtime: ProviderRuntime): void {
  for (const { action, field } of losses) {
    if (action !== 'dropped' || !continuedFields.has(field)) continue;
    throw new InvalidRequestError(
      `"${field}" names what a provider of the Responses API keeps; ${runtime.name} speaks another dialect and has none of it. Send the conversation whole, without "${field}", or ask the provider that made it`,
      { code: 'BF_REQUEST_STATE_ELSEWHERE', param: field },
    );
  }
}

function encodeFor(
  run: RequestRun,
  surface: Surface,
  model: string,
  losses: Loss[],
): { readonly body: Buffer; readonly action?: string } {
  if (run.request.route.operation !== 'conversation') return encodeOther(run, surface, model, losses);
  return { body: encodeRequest(run, surface, model, losses) };
}

function hasUsageOption(surface: Surface): boolean {
  const isChat = surface.dialect === 'openai-chat' || surface.dialect === 'openai-completions';
  return isChat && surface.quirks?.noStreamOptions !== true;
}
