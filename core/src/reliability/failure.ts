import type { ErrorInfo } from '@bifrost/sdk';

/** Why an attempt failed, as far as it decides about the next one. */
export type FailureClass =
  | 'transient'
  | 'rate-limited'
  | 'quota-exhausted'
  | 'credential-rejected'
  | 'model-access'
  | 'model-retired'
  | 'region-blocked'
  | 'foreign-state'
  | 'caller-fault'
  | 'timeout'
  | 'plugin'
  | 'unknown';

/** What follows from a failure. `key`: what becomes of the key within this request. */
export interface FailurePolicy {
  readonly isRetried: boolean;
  readonly key: 'same' | 'used' | 'dead';
  readonly hasBackoff: boolean;
}

const retrySame: FailurePolicy = { isRetried: true, key: 'same', hasBackoff: true };
const deadKey: FailurePolicy = { isRetried: true, key: 'dead', hasBackoff: false };
const giveUp: FailurePolicy = { isRetried: false, key: 'same', hasBackoff: false };

/** The rules of Bifrost's retry table; a key that is dead or used is so for this request only. */
export const failurePolicies: Readonly<Record<FailureClass, FailurePolicy>> = {
  transient: retrySame,
  timeout: retrySame,
  'rate-limited': { isRetried: true, key: 'used', hasBackoff: true },
  'quota-exhausted': deadKey,
  'credential-rejected': deadKey,
  'model-access': deadKey,
  'region-blocked': deadKey,
  // Another key may have made what the request continues.
  'foreign-state': deadKey,
  'model-retired': giveUp,
  'caller-fault': giveUp,
  plugin: giveUp,
  unknown: giveUp,
};

const quotaCodes = new Set(['insufficient_quota', 'blocked_api_access']);
const quotaPhrase =
  /credit balance|spend limit|api usage limits|prepayment credits|credits are depleted|spending cap|requires billing to be enabled|key limit exceeded|account is not active/i;
const rateCodes = new Set(['rate_limit_exceeded', 'rate_limit_error', 'RESOURCE_EXHAUSTED', 'ThrottlingException']);
const ratePhrase =
  /rate.?limit|too many requests|quota.exceeded|request limit|throttl(?:ed|ing)|rate exceeded|limit exceeded|requests per|[rt]pm exceeded|tokens per minute|usage limit|burst_rate|rate increased/i;
const credentialCodes = new Set([
  'invalid_api_key',
  'organization_restricted',
  'authentication_error',
  'UNAUTHENTICATED',
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'ExpiredTokenException',
  'IncompleteSignatureException',
]);
const credentialPhrase = /api key not valid|api key expired|security token|invalid api key/i;
const modelCodes = new Set([
  'model_not_found',
  'DeploymentNotFound',
  'unknown_model',
  'model_terms_required',
  'invalid_model',
]);
const retiredCodes = new Set(['model_decommissioned', 'ServiceModelDeprecating']);
const regionPhrase = /unsupported countr|location is not supported|not available in your country/i;
const overloadedCodes = new Set(['overloaded_error', 'UNAVAILABLE', 'server_error', 'api_error']);
/** Until the operator changes something, every try ends the same. */
const settledCodes = new Set(['BF_UPSTREAM_ADDRESS_REFUSED']);
/** What a request of the Responses API continues is not known to this key: see `StateMakers`. */
const foreignStateCodes = new Set(['previous_response_not_found', 'invalid_encrypted_content']);
const foreignStatePhrase =
  /\b(?:response|conversation|item) with id\b.{1,200}\bnot found\b|encrypted content\b.{0,300}\bcould not be (?:verified|decrypted)/i;
const transientStatus = new Set([408, 500, 502, 503, 504, 529]);

/** Reads the provider's code or type first, then its message, then the status. */
export function classifyFailure(info: ErrorInfo): FailureClass {
  if (info.origin === 'plugin') return 'plugin';
  // The same request would be answered as largely again.
  if (info.code === 'BF_UPSTREAM_ANSWER_TOO_LARGE') return 'unknown';
  const status = info.statusCode;
  const named = classifyName(info.code) ?? classifyName(info.type);
  // Only an answer with an error status is read for phrases: a caller's fault may quote any words.
  if (named !== undefined && named !== 'transient') return named;
  if (status === 400 || status === 401 || status === 402 || status === 403 || status === 429) {
    if (quotaPhrase.test(info.message)) return 'quota-exhausted';
    if (credentialPhrase.test(info.message)) return 'credential-rejected';
    if (regionPhrase.test(info.message)) return 'region-blocked';
  }
  if ((status === 400 || status === 404) && foreignStatePhrase.test(info.message)) return 'foreign-state';
  if (status === 429) return 'rate-limited';
  if (status === 401 || status === 403) return 'credential-rejected';
  if (status === 402) return 'quota-exhausted';
  if (status >= 500 && ratePhrase.test(info.message)) return 'rate-limited';
  if (named !== undefined || transientStatus.has(status)) return 'transient';
  if (status >= 400 && status < 500) return 'caller-fault';
  return 'unknown';
}

function classifyName(name: string | undefined): FailureClass | undefined {
  if (name === undefined) return undefined;
  if (quotaCodes.has(name)) return 'quota-exhausted';
  if (rateCodes.has(name)) return 'rate-limited';
  if (credentialCodes.has(name)) return 'credential-rejected';
  if (modelCodes.has(name)) return 'model-access';
  if (retiredCodes.has(name)) return 'model-retired';
  if (foreignStateCodes.has(name)) return 'foreign-state';
  if (settledCodes.has(name)) return 'unknown';
  if (overloadedCodes.has(name)) return 'transient';
  return undefined;
}
