import { describe, expect, it } from 'vitest';
import { anthropicCountTokens } from './count-tokens.ts';

describe('count_tokens', () => {
  it('takes a request without max_tokens and sends what the endpoint takes', () => {
    const body = {
      model: 'm',
      messages: [{ role: 'user', content: 'a' }],
      thinking: { type: 'enabled', budget_tokens: 2000 },
      output_config: { effort: 'low' },
      speed: 'fast',
    };
    const request = anthropicCountTokens.decodeRequest({
      ...body,
      max_tokens: 3,
      temperature: 1,
      stream: true,
      metadata: { user_id: 'u' },
      container: 'c',
    });
    expect(
      JSON.parse(JSON.stringify(anthropicCountTokens.encodeRequest(request, { report: { add: () => undefined } }))),
    ).toEqual(body);
    expect(anthropicCountTokens.decodeRequest(body).maxOutputTokens).toBeUndefined();
  });

  it('refuses an answer without a count', () => {
    expect(() => anthropicCountTokens.decodeResponse({})).toThrow(
      expect.objectContaining({ code: 'BF_DIALECT_RESPONSE_INVALID' }),
    );
  });
});
