import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KeyConfig, ProviderConfig } from '../config.ts';
import { providerDefinitions } from '../providers/definitions.ts';
import { mockProviderConfig } from '../providers/mock/config.ts';
import type { ProviderDefinition } from '../providers/provider.ts';
import { listProviderModels } from './list-provider-models.ts';
import { parseModelList } from './parse-model-list.ts';

interface Asked {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

let server: Server;
let asked: Asked[];
let answer: { status: number; body: string } | 'never';

beforeEach(async () => {
  asked = [];
  answer = { status: 200, body: '{"data":[{"id":"a"},{"id":"b","owned_by":"me","created":5}]}' };
  server = createServer((request, response) => {
    asked.push({ url: request.url ?? '', headers: request.headers });
    if (answer !== 'never') response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const key = (entry: Partial<KeyConfig> = {}): KeyConfig => ({
  id: 'k1',
  name: 'k1',
  value: 'sk-canary',
  models: ['*'],
  blacklistedModels: [],
  weight: 1,
  aliases: {},
  isEnabled: true,
  ...entry,
});

function provider(name: string, entry: Partial<ProviderConfig> = {}): ProviderConfig {
  const { port } = server.address() as AddressInfo;
  const definition = providerDefinitions.get(name) as ProviderDefinition;
  const baseUrl = `http://127.0.0.1:${port}/base`;
  return { ...mockProviderConfig, keys: [key()], ...entry, definition: { ...definition, baseUrl } };
}

it('asks the provider with its own credential and lists what it says', async () => {
  expect(await listProviderModels(provider('openai'))).toEqual([
    { keyId: 'k1', models: [{ id: 'a' }, { id: 'b', ownedBy: 'me', created: 5 }] },
  ]);
  expect(asked[0]?.url).toBe('/base/v1/models');
  expect(asked[0]?.headers.authorization).toBe('Bearer sk-canary');
});

it('asks for long pages where the default is short', async () => {
  await listProviderModels(provider('anthropic'));
  await listProviderModels(provider('gemini'));
  expect(asked.map(({ url }) => url)).toEqual(['/base/v1/models?limit=1000', '/base/v1beta/models?pageSize=1000']);
  expect(asked[0]?.headers).toMatchObject({ 'x-api-key': 'sk-canary', 'anthropic-version': '2023-06-01' });
});

it('adds what the key states, leaves out what it denies, and asks only where a key allows all', async () => {
  const open = key({ aliases: { fast: 'a' }, blacklistedModels: ['b'] });
  const narrow = key({ id: 'k2', models: ['x', 'y'], blacklistedModels: ['y'] });
  const off = key({ id: 'k3', isEnabled: false });
  const lists = await listProviderModels(provider('openai', { keys: [open, narrow, off] }));
  expect(lists.map(({ keyId, models }) => [keyId, models.map(({ id }) => id)])).toEqual([
    ['k1', ['fast', 'a']],
    ['k2', ['x']],
  ]);
  expect(asked).toHaveLength(1);
});

it("keeps to a custom provider's operations and paths", async () => {
  await listProviderModels(provider('openai', { requestPathOverrides: { list_models: '/my/list' } }));
  expect(asked.map(({ url }) => url)).toEqual(['/base/my/list']);
  const closed = await listProviderModels(provider('openai', { allowedRequests: ['chat_completion'] }));
  expect(closed).toEqual([{ keyId: 'k1', models: [] }]);
  expect(asked).toHaveLength(1);
});

describe('a list that cannot be had', () => {
  it.each<[string, typeof answer, string]>([
    ['refused', { status: 401, body: '{"error":"sk-canary"}' }, 'the provider answered 401'],
    ['no JSON', { status: 200, body: '<html>' }, 'the answer is no JSON'],
    ['no list', { status: 200, body: '{"ok":true}' }, 'the answer is no list of models'],
    ['too late', 'never', 'the provider did not answer in time'],
  ])('%s: is named with its key, what the key states is listed', async (_name, given, error) => {
    answer = given;
    const keys = [key({ aliases: { mine: 'a' } })];
    const lists = await listProviderModels(provider('openai', { keys }), { timeoutMs: 200 });
    expect(lists).toEqual([{ keyId: 'k1', models: [{ id: 'mine' }], error }]);
    expect(JSON.stringify(lists)).not.toContain('canary');
  });

  it('nobody there', async () => {
    const gone = provider('openai');
    await new Promise((resolve) => server.close(resolve));
    expect((await listProviderModels(gone))[0]?.error).toBe('the provider could not be reached');
  });
});

it("reads Gemini's, Anthropic's and Together's shapes", () => {
  expect(parseModelList({ models: [{ name: 'models/gemini-x', displayName: 'X' }] })).toEqual([
    { id: 'gemini-x', displayName: 'X' },
  ]);
  expect(parseModelList({ data: [{ id: 'c', display_name: 'C', created_at: '1970-01-01T00:00:09Z' }] })).toEqual([
    { id: 'c', displayName: 'C', created: 9 },
  ]);
  expect(parseModelList([{ id: 't', organization: 'T' }, null, {}])).toEqual([{ id: 't', ownedBy: 'T' }]);
  expect(parseModelList('x')).toBeUndefined();
});
