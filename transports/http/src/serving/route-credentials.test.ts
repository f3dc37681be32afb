import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, testConfig } from '../__tests__/test-server.ts';
import type { TestServer } from '../__tests__/test-server.ts';
import { routeTable } from './route-table.ts';
import type { RouteEntry } from './route-table.ts';

/** Every route of the table, called with and without a credential on a gateway that can be reached from other machines. */
const key = 'sk-bf-key-for-the-tests';
let gateway: TestServer;
beforeAll(async () => {
  const createHandler = (): never => {
    throw new Error('a call of the admin API went through without a credential');
  };
  gateway = await startTestServer(
    { client: { inference_key: key } },
    { host: '0.0.0.0', admin: { tokenHash: 'ab'.repeat(32), createHandler } },
  );
});
afterAll(() => gateway[Symbol.asyncDispose]());

const pathOf = ({ path }: RouteEntry): string =>
  path.replace(/\*$/, 'gemini-2.5-flash:generateContent').replace(':name', 'hello').replace(':request_id', 'r-1');

function call(entry: RouteEntry, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const hasBody = entry.method === 'POST' || entry.method === 'PUT';
  return fetch(gateway.url + pathOf(entry), { method: entry.method, headers, ...(hasBody ? { body: '{}' } : {}) });
}

const shapes: Readonly<Record<RouteEntry['surface'], object>> = {
  unified: { is_bifrost_error: true, status_code: 401, error: { code: 'BF_HTTP_INFERENCE_KEY' } },
  openai: { error: { type: 'invalid_request_error', code: 'BF_HTTP_INFERENCE_KEY' } },
  anthropic: { type: 'error', error: { type: 'authentication_error' } },
  genai: { error: { code: 401, status: 'UNAUTHENTICATED' } },
};

describe.each(routeTable)('$method $path', (entry) => {
  it('is refused without a credential, unless it is public', async () => {
    const response = await call(entry);
    const text = await response.text();
    expect(response.status).toBe(entry.auth === 'public' ? 200 : 401);
    if (entry.auth === 'public') return;
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
    expect(text).not.toContain(key);
    if (entry.auth === 'inference') expect(JSON.parse(text)).toMatchObject(shapes[entry.surface]);
  });

  if (entry.auth === 'inference') {
    it('is served with the inference key', async () => {
      const response = await call(entry, { authorization: `Bearer ${key}` });
      await response.arrayBuffer();
      expect(response.status).toBe(200);
    });
  }

  if (entry.auth === 'admin') {
    it('does not take the inference key', async () => {
      const response = await call(entry, { authorization: `Bearer ${key}` });
      await response.arrayBuffer();
      expect(response.status).toBe(401);
    });
  }
});

describe('ways around a route', () => {
  it.each([
    '/v1/models/',
    '/v1//models',
    '/v1/./models',
    '/V1/models',
    '/v1/models%2f',
    '/v1/%6dodels',
    '/health/../v1/models',
    '/health/..%2fv1/models',
    '/health;/v1/models',
    '/metrics/v1/models',
    '/v1/models?x=/health',
  ])('%s is refused or not there', async (path) => {
    const response = await fetch(gateway.url + path);
    await response.arrayBuffer();
    expect([400, 401, 404]).toContain(response.status);
  });

  it.each(['HEAD', 'OPTIONS', 'PATCH', 'DELETE'])('%s reaches no handler', async (method) => {
    const response = await fetch(`${gateway.url}/v1/models`, { method });
    await response.arrayBuffer();
    expect([401, 405]).toContain(response.status);
  });
});

describe('when the key is asked for', () => {
  const status = async ({ url }: TestServer, headers: Readonly<Record<string, string>> = {}): Promise<number> => {
    const response = await fetch(`${url}/v1/models`, { headers });
    await response.arrayBuffer();
    return response.status;
  };

  it('not on loopback, unless the configuration wants it', async () => {
    await using open = await startTestServer({ client: { inference_key: key } });
    expect(await status(open)).toBe(200);
    expect(open.server.isInferenceOpen).toBe(true);
    await open.server.reconfigure(testConfig({ client: { inference_key: key, enforce_auth_on_inference: true } }));
    expect(await status(open)).toBe(401);
    expect(await status(open, { 'x-api-key': key })).toBe(200);
    expect(open.server.isInferenceOpen).toBe(false);
  });

  it('not beyond loopback, where the operator says so', async () => {
    await using open = await startTestServer({ client: { enforce_auth_on_inference: false } }, { host: '0.0.0.0' });
    expect(await status(open)).toBe(200);
  });

  it('does not start beyond loopback without any key', async () => {
    await expect(startTestServer({}, { host: '0.0.0.0' })).rejects.toMatchObject({ code: 'BF_HTTP_INFERENCE_OPEN' });
  });
});
