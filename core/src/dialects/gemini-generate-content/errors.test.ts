import { recordingsOfApi } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { geminiGenerateContentCodec as codec } from './codec.ts';

const failed = recordingsOfApi(
  'google.generate_content',
  'google.stream_generate_content',
  'google.count_tokens',
).filter((one) => one.response.status >= 400);

describe('decodeError', () => {
  it('reads every recorded error: message, status word and the body itself', () => {
    expect(failed.length).toBe(8);
    for (const { response } of failed) {
      const info = codec.decodeError(response.status, response.body);
      expect(info).toMatchObject({ statusCode: response.status, origin: 'provider' });
      expect(['NOT_FOUND', 'INVALID_ARGUMENT']).toContain(info.code);
      expect(info.message.length).toBeGreaterThan(20);
      const body = typeof response.body === 'string' ? (JSON.parse(response.body) as unknown) : response.body;
      expect(codec.encodeError(info)).toEqual(body);
    }
  });

  it('reads an array with one error, the reason, the retry delay and the field at fault', () => {
    const details = [
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'RATE_LIMIT_EXCEEDED' },
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '36.5s' },
      { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field: 'contents' }] },
    ];
    const error = { code: 429, message: 'slow down', status: 'RESOURCE_EXHAUSTED', details };
    expect(codec.decodeError(429, [{ error }])).toEqual({
      statusCode: 429,
      message: 'slow down',
      origin: 'provider',
      code: 'RATE_LIMIT_EXCEEDED',
      type: 'RESOURCE_EXHAUSTED',
      param: 'contents',
      retryAfterSeconds: 36.5,
      upstreamBody: { error },
    });
  });

  it('never throws: pages, nothing, numbers', () => {
    for (const body of ['<html>bad gateway</html>', undefined, null, 7, [], {}, { error: 'text' }, '[{"error":1}]']) {
      expect(codec.decodeError(502, body)).toMatchObject({ statusCode: 502, origin: 'provider' });
    }
  });

  it('takes the status of an error inside a stream from the body', () => {
    const body = { error: { code: 503, message: 'overloaded', status: 'UNAVAILABLE' } };
    expect(codec.decodeError(200, body).statusCode).toBe(503);
    expect(codec.decodeError(200, { error: { message: 'x' } }).statusCode).toBe(502);
  });
});

describe('encodeError', () => {
  it.each([
    [400, 'INVALID_ARGUMENT'],
    [401, 'UNAUTHENTICATED'],
    [403, 'PERMISSION_DENIED'],
    [404, 'NOT_FOUND'],
    [422, 'INVALID_ARGUMENT'],
    [429, 'RESOURCE_EXHAUSTED'],
    [500, 'INTERNAL'],
    [502, 'UNAVAILABLE'],
    [503, 'UNAVAILABLE'],
    [504, 'DEADLINE_EXCEEDED'],
  ])('gives %i the word %s', (statusCode, status) => {
    const error = { statusCode, message: 'what went wrong', origin: 'gateway' } as const;
    expect(codec.encodeError(error)).toEqual({ error: { code: statusCode, message: 'what went wrong', status } });
  });

  it("does not show another dialect's body or one whose message was changed", () => {
    const upstreamBody = { error: { code: 400, message: 'secret', status: 'INVALID_ARGUMENT' } };
    const changed = codec.encodeError({ statusCode: 400, message: 'redacted', origin: 'provider', upstreamBody });
    expect(JSON.stringify(changed)).not.toContain('secret');
    const openai = { error: { message: 'no', type: 'invalid_request_error', code: null } };
    expect(codec.encodeError({ statusCode: 400, message: 'no', origin: 'provider', upstreamBody: openai })).toEqual({
      error: { code: 400, message: 'no', status: 'INVALID_ARGUMENT' },
    });
  });
});
