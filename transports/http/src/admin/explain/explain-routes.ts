/** `/api/explain`: what plugins decided on requests that asked for it with `x-bf-explain: true`. */
import type { FastifyInstance } from 'fastify';
import { GatewayError } from '@bifrost/sdk';
import type { ExplainedRequest } from './explained-request.ts';
import type { ExplanationLog } from './explanation-log.ts';

function summaryOf({ facts, statusCode, startedAt, latencyMs, explanation }: ExplainedRequest): object {
  return {
    request_id: facts.requestId,
    path: facts.path,
    model: facts.model ?? null,
    statusCode,
    startedAt: new Date(startedAt).toISOString(),
    latencyMs,
    calls: explanation.calls.length + explanation.leftOut,
  };
}

function detailOf(request: ExplainedRequest): object {
  const { facts, error, failures, routingNotes, explanation } = request;
  return {
    ...summaryOf(request),
    method: facts.method,
    requestType: facts.requestType,
    provider: facts.provider ?? null,
    isStream: facts.isStream,
    error: error ?? null,
    calls: explanation.calls,
    leftOut: explanation.leftOut,
    failures,
    routingNotes,
  };
}

export function addExplainRoutes(app: FastifyInstance, log: ExplanationLog): void {
  app.get('/api/explain', () => {
    const requests = log.list().map(summaryOf);
    return { requests, count: requests.length };
  });
  app.get('/api/explain/:request_id', (request) => {
    const { request_id: id } = request.params as { readonly request_id: string };
    const found = log.find(id);
    if (found !== undefined) return detailOf(found);
    throw new GatewayError(
      `there is no explanation of a request "${id}": it asks for one with the header x-bf-explain: true, and the last 200 are kept`,
      { code: 'BF_ADMIN_EXPLANATION_UNKNOWN', statusCode: 404 },
    );
  });
}
