/** Where a request goes is the operator's choice: no header, field, model or redirect sends it, or its key, elsewhere. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '@bifrost/sdk';
import { postJson, startReplayUpstream } from '@bifrost/testkit';
import type { ReplayUpstream } from '@bifrost/testkit';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { startGatewayProcess } from './gateway-process.ts';
import type { GatewayProcess } from './gateway-process.ts';

/** Where nothing may arrive. */
const trap = createServer((request, response) => {
  caught.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`);
  response.end('{}');
});
const caught: string[] = [];
let trapUrl = '';
let upstream: ReplayUpstream;
let gateway: GatewayProcess;

beforeAll(async () => {
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
  trapUrl = `http://127.0.0.1:${(trap.address() as AddressInfo).port}`;
  upstream = await startReplayUpstream();
  const provider = {
    keys: [{ name: 'test', value: 'sk-of-the-operator', models: ['*'], weight: 1 }],
    network_config: { base_url: upstream.url },
  };
  gateway = await startGatewayProcess({ providers: { openai: provider, anthropic: provider, gemini: provider } }, [
    '-threads',
    '1',
  ]);
});
beforeEach(() => {
  upstream.reset();
  caught.length = 0;
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await upstream.close();
  trap.close();
});

const messages = [{ role: 'user', content: 'Hello' }];
const ask = (body: JsonObject, headers: Readonly<Record<string, string>> = {}): ReturnType<typeof postJson> =>
  postJson(`${gateway.url}/v1/chat/completions`, { messages, ...body }, headers);

it('no header or field of a request names a host', async () => {
  upstream.script([{ status: 500, times: 100 }]);
  const headers = [
    'x-portkey-custom-host',
    'x-bf-azure-endpoint',
    'x-forwarded-host',
    'x-forwarded-for',
    'x-original-url',
    'x-rewrite-url',
    'x-base-url',
    'x-bf-base-url',
    'x-bf-eh-host',
    'forwarded',
  ];
  for (const name of headers) await ask({ model: 'openai/gpt' }, { [name]: trapUrl });
  for (const field of ['base_url', 'api_base', 'baseURL', 'endpoint', 'custom_host', 'provider', 'network_config'])
    await ask({ model: 'openai/gpt', [field]: field === 'network_config' ? { base_url: trapUrl } : trapUrl });
  for (const model of [`openai/${trapUrl}`, trapUrl, `openai@${trapUrl}`, `//${trapUrl.slice(7)}/x`])
    await ask({ model });
  await ask({ model: 'openai/gpt', fallbacks: [trapUrl, `openai/${trapUrl}`] });
  expect(caught).toEqual([]);
});

it.each([301, 302, 303, 307, 308])('a provider that answers %i is not followed', async (status) => {
  upstream.script([{ status, body: '{}', headers: { location: `${trapUrl}/v1/chat/completions` }, times: 5 }]);
  const answer = await ask({ model: 'openai/gpt' });
  expect(caught).toEqual([]);
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.headers).not.toHaveProperty('location');
});

it.each(['../../evil', '..%2f..%2fevil', 'x/../../evil', 'x?key=1', 'x#y', 'x:countTokens', 'x\r\nx-a: b', 'x\\..\\y'])(
  'a model %j stays a name within its place in the path',
  async (name) => {
    upstream.script([{ status: 500, times: 5 }]);
    await ask({ model: `gemini/${name}` });
    await postJson(`${gateway.url}/genai/v1beta/models/${encodeURIComponent(name)}:generateContent`, {
      contents: [{ role: 'user', parts: [{ text: 'Hello' }] }],
    });
    for (const { path } of upstream.requests) {
      expect(path).toMatch(/^\/v1beta\/models\/[^/?#\\]+:generateContent$/);
      expect(decodeURIComponent(path)).not.toMatch(/\/\.\.?(?:\/|$)/);
    }
  },
);
