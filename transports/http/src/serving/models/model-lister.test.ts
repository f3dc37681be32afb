import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer } from '../../__tests__/test-server.ts';
import type { TestServer } from '../../__tests__/test-server.ts';

let gateway: TestServer;
let asked = 0;
const upstream = createServer((_request, response) => {
  asked += 1;
  response.end('{"data":[{"id":"gpt-x","created":7,"owned_by":"openai"}]}');
});

beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const { port } = upstream.address() as AddressInfo;
  const network_config = { base_url: `http://127.0.0.1:${port}` };
  gateway = await startTestServer({
    providers: {
      openai: { keys: [{ name: 'o', value: 'sk', aliases: { fast: 'gpt-x' } }], network_config },
      anthropic: { keys: [{ name: 'a', value: 'sk', models: ['claude-x'] }], network_config },
      groq: { keys: [{ name: 'g', value: 'sk' }], network_config: { base_url: 'http://127.0.0.1:1' } },
    },
  });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  upstream.close();
});

interface Listed {
  readonly data: readonly { readonly id: string }[];
  readonly models: readonly { readonly name: string }[];
}

it('lists every provider under its name, and names the key whose provider failed', async () => {
  const response = await fetch(`${gateway.url}/v1/models`);
  expect(response.headers.get('x-bf-failed-providers')).toBe('groq');
  const list = (await response.json()) as Listed & { extra_fields: { key_statuses: object[] } };
  expect(list.data.map(({ id }) => id)).toEqual(['openai/fast', 'openai/gpt-x', 'anthropic/claude-x', 'mock/hello']);
  expect(list.data[1]).toEqual({ id: 'openai/gpt-x', object: 'model', created: 7, owned_by: 'openai' });
  expect(list.extra_fields.key_statuses).toContainEqual({
    provider: 'groq',
    key_id: 'g',
    status: 'list_models_failed',
    error: 'the provider could not be reached',
  });
});

it('keeps a list for a while', async () => {
  await (await fetch(`${gateway.url}/v1/models`)).arrayBuffer();
  await (await fetch(`${gateway.url}/v1/models`)).arrayBuffer();
  expect(asked).toBe(1);
});

it("lists in each SDK's own shape, its own provider's models by their bare names", async () => {
  const list = async (path: string): Promise<Listed> => (await (await fetch(gateway.url + path)).json()) as Listed;
  const ids = (listed: Listed): string[] => listed.data.map(({ id }) => id);
  expect(ids(await list('/openai/v1/models'))).toEqual(['fast', 'gpt-x', 'anthropic/claude-x', 'mock/hello']);
  const anthropic = await list('/anthropic/v1/models');
  expect(ids(anthropic)).toContain('claude-x');
  expect(anthropic).toMatchObject({ has_more: false, first_id: 'openai/fast', last_id: 'mock/hello' });
  const genai = await list('/genai/v1beta/models');
  expect(genai.models.map(({ name }) => name)).toContain('models/openai/gpt-x');
});

it('lists one provider, and says which there are where it is unknown', async () => {
  const one = (await (await fetch(`${gateway.url}/v1/models?provider=anthropic`)).json()) as Listed;
  expect(one.data.map(({ id }) => id)).toEqual(['anthropic/claude-x']);
  const unknown = await fetch(`${gateway.url}/anthropic/v1/models?provider=nope`);
  expect(unknown.status).toBe(400);
  expect(await unknown.text()).toContain('configured are: openai, anthropic, groq, mock');
});
