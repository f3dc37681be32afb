import type { LLMRequest, RequestFacts, RequestTrace } from '@bifrost/sdk';

export const facts: RequestFacts = {
  requestId: 'request-1',
  requestType: 'chat_completion',
  method: 'POST',
  path: '/v1/chat/completions',
  isStream: false,
};
export const trace: RequestTrace = {
  facts,
  statusCode: 200,
  startedAt: 0,
  latencyMs: 1,
  attempts: [],
  lane: 'none',
};
export const request: LLMRequest = { model: 'm', isStream: false, fallbacks: [] };
