import { describe, expect, it } from 'vitest';
import type { ExplainedRequest } from './explained-request.ts';
import { ExplanationLog } from './explanation-log.ts';

function request(requestId: string, statusCode = 200): ExplainedRequest {
  const facts = { requestId, requestType: 'chat_completion', method: 'POST', path: '/', isStream: false };
  const explanation = { calls: [], leftOut: 0 };
  return { facts, statusCode, startedAt: 0, latencyMs: 1, failures: [], routingNotes: [], explanation };
}

describe('the log of explanations', () => {
  it('keeps the last ones, and lists the newest first', () => {
    const log = new ExplanationLog(2);
    for (const id of ['a', 'b', 'c']) log.add(request(id));
    expect(log.list().map(({ facts }) => facts.requestId)).toEqual(['c', 'b']);
    expect(log.find('a')).toBeUndefined();
    expect(log.find('b')?.facts.requestId).toBe('b');
  });

  it('keeps the later one of two requests with the same id, as the newest', () => {
    const log = new ExplanationLog(2);
    for (const one of [request('a'), request('b'), request('a', 500), request('c')]) log.add(one);
    expect(log.list().map(({ facts }) => facts.requestId)).toEqual(['c', 'a']);
    expect(log.find('a')?.statusCode).toBe(500);
  });
});
