import { recordingsOfApi } from '@bifrost/testkit';
import type { JsonObject } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import type { Loss } from '../codec.ts';
import { decodeRequest } from './request-decode.ts';
import { encodeRequest } from './request-encode.ts';
import { decodeResponse } from './response-decode.ts';
import { encodeResponse } from './response-encode.ts';

const recordings = recordingsOfApi('openai.responses');

describe('law 2 over all recordings of the Responses API', () => {
  const requests = recordings.filter((one) => one.request?.body_encoding === 'json');
  const responses = recordings.filter((one) => one.response.body_encoding === 'json' && one.response.status < 300);

  it('has the recordings that it claims to check', () => {
    expect(recordings).toHaveLength(312);
    expect([requests.length, responses.length]).toEqual([270, 199]);
  });

  it.each(requests.map((one) => [one.id, one.request?.body as JsonObject] as const))('request %s', (_, body) => {
    const losses: Loss[] = [];
    const request = decodeRequest(body, {});
    expect(encodeRequest(request, { report: { add: (loss) => losses.push(loss) } })).toStrictEqual(body);
    expect(losses).toEqual([]);
  });

  it.each(responses.map((one) => [one.id, one.response.body as JsonObject] as const))('response %s', (_, body) => {
    const losses: Loss[] = [];
    const response = decodeResponse(body);
    expect(encodeResponse(response, { report: { add: (loss) => losses.push(loss) } })).toStrictEqual(body);
    expect(losses).toEqual([]);
  });
});
