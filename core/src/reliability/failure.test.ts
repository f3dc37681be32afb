import type { ErrorInfo } from '@bifrost/sdk';
import { recordingsOfApi } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { codecOf } from '../dialects/registry.ts';
import { classifyFailure } from './failure.ts';

const error = (statusCode: number, more: Partial<ErrorInfo> = {}): ErrorInfo => ({
  statusCode,
  message: 'm',
  origin: 'provider',
  ...more,
});

describe('classifyFailure', () => {
  it.each([
    ['transient', error(500)],
    ['transient', error(529, { type: 'overloaded_error' })],
    ['transient', error(503, { code: 'UNAVAILABLE' })],
    ['rate-limited', error(429)],
    ['rate-limited', error(500, { message: 'Too many requests, slow down' })],
    ['rate-limited', error(400, { code: 'rate_limit_exceeded' })],
    ['quota-exhausted', error(429, { code: 'insufficient_quota' })],
    ['quota-exhausted', error(400, { message: 'Your credit balance is too low to access the API' })],
    ['quota-exhausted', error(402)],
    ['credential-rejected', error(401)],
    [
      'credential-rejected',
      error(400, { type: 'INVALID_ARGUMENT', message: 'API key not valid. Please pass a valid API key.' }),
    ],
    ['model-access', error(404, { code: 'model_not_found' })],
    ['model-retired', error(404, { code: 'model_decommissioned' })],
    ['region-blocked', error(400, { message: 'User location is not supported for the API use.' })],
    ['foreign-state', error(400, { code: 'previous_response_not_found' })],
    ['foreign-state', error(400, { code: 'invalid_encrypted_content', type: 'invalid_request_error' })],
    ['foreign-state', error(404, { message: "Response with id 'resp_1' not found." })],
    ['foreign-state', error(404, { message: "Item with id 'rs_1' not found. Items are not persisted." })],
    ['foreign-state', error(404, { message: "Conversation with id 'conv_1' not found." })],
    ['foreign-state', error(400, { message: 'The encrypted content gAAA...Q== could not be verified.' })],
    ['caller-fault', error(404, { message: 'The file with this name was not found' })],
    ['caller-fault', error(400, { message: 'messages: field required' })],
    ['caller-fault', error(422)],
    ['plugin', error(500, { origin: 'plugin' })],
    ['unknown', error(302)],
  ] as const)('is %s for %j', (expected, info) => {
    expect(classifyFailure(info)).toBe(expected);
  });

  it("does not take a caller's words for the provider's", () => {
    expect(classifyFailure(error(400, { message: 'unknown field "rate limit exceeded"' }))).toBe('caller-fault');
  });

  it('knows every recorded error answer', () => {
    const apis = {
      'openai.chat_completions': 'openai-chat',
      'openai.responses': 'openai-responses',
      'anthropic.messages': 'anthropic-messages',
      'google.generate_content': 'gemini-generate-content',
    } as const;
    let count = 0;
    for (const [api, dialect] of Object.entries(apis)) {
      for (const recording of recordingsOfApi(api)) {
        const { status, body } = recording.response;
        if (status < 400) continue;
        count += 1;
        const found = classifyFailure({ ...codecOf(dialect).decodeError(status, body), statusCode: status });
        const expected =
          status === 401
            ? ['credential-rejected']
            : [
                'caller-fault',
                'model-access',
                'credential-rejected',
                'rate-limited',
                'quota-exhausted',
                'model-retired',
              ];
        expect(expected, `${recording.id} ${status}`).toContain(found);
        expect(found === 'credential-rejected', recording.id).toBe(status === 401 || status === 403);
      }
    }
    expect(count).toBeGreaterThan(20);
  });
});
