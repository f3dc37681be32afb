import { describe, expect, it } from 'vitest';
import { decodeError, encodeError } from './errors.ts';

describe('errors of providers', () => {
  it.each<[string, number, unknown, object]>([
    [
      'the API',
      429,
      { error: { message: 'slow down', type: 'requests', code: 'rate_limit_exceeded', param: null } },
      { statusCode: 429, message: 'slow down', type: 'requests', code: 'rate_limit_exceeded' },
    ],
    [
      'a text as error',
      400,
      { code: 'bad', error: 'no such model' },
      { statusCode: 400, message: 'no such model', code: 'bad' },
    ],
    ['a detail', 422, { detail: 'wrong' }, { statusCode: 422, message: 'wrong' }],
    ['plain text', 502, 'Bad gateway\n', { statusCode: 502, message: 'Bad gateway' }],
    ['nothing', 500, undefined, { statusCode: 500, message: 'the provider answered with status 500 and no message' }],
    [
      'an error event',
      200,
      { type: 'error', code: 'server_error', message: 'oops', param: null },
      { statusCode: 502, message: 'oops', code: 'server_error' },
    ],
    [
      'an error event with an object',
      200,
      { type: 'error', error: { code: 'insufficient_quota', message: 'paid out', type: 'insufficient_quota' } },
      { statusCode: 429, message: 'paid out' },
    ],
    [
      'a failed response',
      200,
      { response: { status: 'failed', error: { code: 'rate_limit_exceeded', message: 'later' } } },
      { statusCode: 429, message: 'later' },
    ],
  ])('%s', (_, status, body, expected) =>
    expect(decodeError(status, body)).toMatchObject({ origin: 'provider', ...expected }),
  );

  it('has the shape of the API', () => {
    expect(encodeError({ statusCode: 400, message: 'm', code: 'c', param: 'p', origin: 'caller' })).toEqual({
      error: { message: 'm', type: 'invalid_request_error', param: 'p', code: 'c' },
    });
  });
});
