import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRaw } from '../__tests__/raw-request.ts';
import { startTestServer } from '../__tests__/test-server.ts';
import type { TestServer } from '../__tests__/test-server.ts';
import { routeTable } from './route-table.ts';

let gateway: TestServer;
/** One with an admin API, whose handler is not reached. */
let guarded: TestServer;
beforeAll(async () => {
  guarded = await startTestServer({}, { admin: { tokenHash: 'ab'.repeat(32), createHandler: notReached } });
  gateway = await startTestServer({ client: { max_request_body_size_mb: 1, required_headers: ['x-team'] } });
});
afterAll(async () => {
  await guarded[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

const team = { 'x-team': 'blue' };
interface Asked extends Omit<RequestInit, 'headers'> {
  readonly headers?: Readonly<Record<string, string>>;
}
const get = (path: string, init: Asked = {}): Promise<Response> =>
  fetch(gateway.url + path, { ...init, headers: { ...team, ...init.headers } });
const post = (path: string, body: NonNullable<RequestInit['body']> = '{}', init: Asked = {}): Promise<Response> =>
  get(path, { method: 'POST', body, ...init });

/** A path of the table as a client may ask for it. */
const concrete = (path: string): string => path.replace(/\*$/, 'openai%2Fgpt-4o:generateContent');

const openRoutes = routeTable.filter(({ auth }) => auth !== 'admin');

describe.each(routeTable.filter(({ auth }) => auth === 'admin'))('$method $path', ({ method, path }) => {
  const url = path.replace(':name', 'hello');
  const body = method === 'GET' || method === 'DELETE' ? {} : { body: '{}' };

  it.each([{}, { authorization: 'Bearer guess' }, { authorization: 'Basic dTpw' }])(
    'asks for the token (%j)',
    async (headers) => {
      const response = await fetch(guarded.url + url, { method, headers: { ...headers }, ...body });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('Bearer');
      await response.arrayBuffer();
    },
  );

  it('is not there in a program without an admin API', async () => {
    const response = await get(url, { method, ...body });
    expect(response.status).toBe(404);
    await response.arrayBuffer();
  });
});

function notReached(): never {
  throw new Error('the call went through without a credential');
}

describe.each(openRoutes)('$method $path', (route) => {
  const path = concrete(route.path);

  it('answers without a credential, as everything does that is public or on loopback', async () => {
    const response = await get(path, { method: route.method, ...(route.method === 'POST' ? { body: '{}' } : {}) });
    expect(response.status).toBe(200);
    await response.arrayBuffer();
  });

  it('answers another method with 405 and what is allowed', async () => {
    const response = await get(path, { method: 'DELETE' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(route.method === 'GET' ? 'GET, HEAD' : 'POST');
    await response.arrayBuffer();
  });

  it(route.auth === 'public' ? 'needs no required header' : 'wants the required headers', async () => {
    const response = await fetch(gateway.url + path, {
      method: route.method,
      ...(route.method === 'POST' ? { body: '{}' } : {}),
    });
    expect(response.status).toBe(route.auth === 'public' ? 200 : 400);
    if (route.auth !== 'public') expect(await response.text()).toContain('x-team');
  });

  if (route.method === 'GET') {
    it('answers HEAD without a body', async () => {
      const response = await get(path, { method: 'HEAD' });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe('');
    });
  }
});

describe('an answer that is given before the engine', () => {
  it.each([
    ['a list', '/v1/models', {}, 200],
    ['health', '/health', {}, 200],
    ['metrics', '/metrics', {}, 200],
    ['an unknown route', '/v1/nothing', {}, 404],
    ['another method', '/v1/models', { method: 'DELETE' }, 405],
    ['a refused page', '/v1/models', { headers: { origin: 'https://evil.example' } }, 403],
  ])('has a request id: %s', async (_name, path, init: Asked, status) => {
    for (const stated of [undefined, 'mine-2', 'not fit']) {
      const headers = { ...init.headers, ...(stated === undefined ? {} : { 'x-request-id': stated }) };
      const response = await get(path, { ...init, headers });
      await response.arrayBuffer();
      expect(response.status).toBe(status);
      const id = response.headers.get('x-request-id');
      if (stated === 'mine-2') expect(id).toBe(stated);
      else expect(id).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('has one where the HTTP parser refused the request', async () => {
    expect(await sendRaw(gateway.port, ['NONSENSE\r\n\r\n'])).toMatch(/^x-request-id: [0-9a-f-]{36}\r$/m);
  });
});

describe('what the engine is told', () => {
  const told = async (path: string): Promise<{ route: object; path: string; query: string; requestId: string }> => {
    const response = await post(path, '{}', { headers: { 'x-request-id': 'mine-1' } });
    return ((await response.json()) as { request: never }).request;
  };

  it.each([
    ['/v1/chat/completions', { dialect: 'openai-chat', requestType: 'chat_completion', isDropIn: false }],
    ['/openai/responses', { dialect: 'openai-responses', isDropIn: true, defaultProvider: 'openai' }],
    ['/v1/completions', { dialect: 'openai-completions', requestType: 'text_completion' }],
    ['/anthropic/v1/messages/count_tokens', { operation: 'count-tokens', dialect: 'anthropic-messages' }],
    ['/openai/v1/embeddings', { operation: 'embeddings', requestType: 'embedding' }],
    [
      '/genai/v1beta/models/a%2Fb%3Ac:streamGenerateContent?alt=sse',
      { pathModel: 'a/b:c', pathStream: true, streamFraming: 'sse', defaultProvider: 'gemini' },
    ],
  ])('%s', async (path, expected) => {
    expect((await told(path)).route).toMatchObject(expected);
  });

  it('path and query apart, the path decoded once, and the request id', async () => {
    expect(await told('/genai/v1beta/models/a%2Fb%252Fc:countTokens?x=%41')).toMatchObject({
      path: '/genai/v1beta/models/a/b%2Fc:countTokens',
      query: 'x=%41',
      requestId: 'mine-1',
    });
  });
});

describe('unknown routes', () => {
  it.each([
    ['/v1/chat/completion', 'did you mean /v1/chat/completions?', 'is_bifrost_error'],
    ['/openai/v1/chat/complete', 'did you mean /openai/v1/chat/completions?', '"param":null'],
    ['/anthropic/v1/mesages', 'did you mean /anthropic/v1/messages?', '"type":"not_found_error"'],
    ['/genai/v1beta/models/x:generateContents', 'with the action generateContent', '"status":"NOT_FOUND"'],
    ['/completely/else', 'there is no route POST /completely/else', 'is_bifrost_error'],
  ])('%s', async (path, hint, shape) => {
    const response = await post(path);
    expect(response.status).toBe(404);
    const text = await response.text();
    expect(text).toContain(hint);
    expect(text).toContain(shape);
  });
});

describe('bodies', () => {
  const megabyte = 1024 * 1024;
  const size = async (response: Response): Promise<number> =>
    ((await response.json()) as { bodyBytes: number }).bodyBytes;
  const chunked = (bytes: number): ReadableStream<Uint8Array> =>
    new ReadableStream({
      start(controller) {
        for (let sent = 0; sent < bytes; sent += 65_536)
          controller.enqueue(new Uint8Array(Math.min(65_536, bytes - sent)));
        controller.close();
      },
    });

  it.each([0, 1, 65_537, megabyte])('of %i bytes arrive whole, with a length and chunked', async (bytes) => {
    expect(await size(await post('/v1/responses', Buffer.alloc(bytes)))).toBe(bytes);
    const stream = await post('/v1/responses', chunked(bytes), { duplex: 'half' } as Asked);
    expect(await size(stream)).toBe(bytes);
  });

  it.each(['/v1/responses', '/openai/responses', '/anthropic/v1/messages'])(
    'over the limit are refused on %s in its own shape, with a length and chunked',
    async (path) => {
      for (const body of [Buffer.alloc(megabyte + 1), chunked(megabyte + 65_536)]) {
        const response = await post(path, body, { duplex: 'half' } as Asked);
        expect(response.status).toBe(413);
        expect(await response.text()).toContain('larger than 1 MB; the limit is client.max_request_body_size_mb');
      }
    },
  );

  it('are taken whatever their content type says', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', '']) {
      expect(await size(await post('/v1/responses', Buffer.from('{}'), { headers: { 'content-type': type } }))).toBe(2);
    }
  });
});

const raw = (head: string, ...rest: readonly string[]): Promise<string> =>
  sendRaw(gateway.port, [head, ...rest], /\r\n\r\n.*\}/s);
const host = 'Host: localhost\r\nx-team: blue\r\n';

describe('bad input', () => {
  it.each([
    [
      'Content-Length beside Transfer-Encoding',
      `POST /v1/responses HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['two lengths', `POST /v1/responses HTTP/1.1\r\n${host}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef`, 400],
    ['a length that is none', `POST /v1/responses HTTP/1.1\r\n${host}Content-Length: 5x\r\n\r\nabcde`, 400],
    [
      'chunked twice',
      `POST /v1/responses HTTP/1.1\r\n${host}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['a header with a line feed alone', `GET /health HTTP/1.1\r\n${host}A: b\nC: d\r\n\r\n`, 400],
    ['a space before the colon', `GET /health HTTP/1.1\r\n${host}A : b\r\n\r\n`, 400],
    ['no Host', 'GET /health HTTP/1.1\r\n\r\n', 400],
    ['a NUL in the path', `GET /health\u0000 HTTP/1.1\r\n${host}\r\n`, 400],
    ['%00 in the path', `GET /health%00 HTTP/1.1\r\n${host}\r\n`, 400],
    ['..%2f in the path', `GET /v1/..%2fhealth HTTP/1.1\r\n${host}\r\n`, 400],
    ['dot segments', `GET /v1/../health HTTP/1.1\r\n${host}\r\n`, 400],
    ['half a percent encoding', `GET /v1/%e0%a HTTP/1.1\r\n${host}\r\n`, 400],
    ['a flood of header bytes', `GET /health HTTP/1.1\r\n${host}A: ${'x'.repeat(70_000)}\r\n\r\n`, 431],
    ['a flood of headers', `GET /health HTTP/1.1\r\n${host}${'a: b\r\n'.repeat(3000)}\r\n`, 431],
    ['a method that is none', `BREW /v1/models HTTP/1.1\r\n${host}\r\n`, 400],
    ['no HTTP at all', 'hello\r\n\r\n', 400],
    [
      'an expectation nobody can meet',
      `POST /v1/responses HTTP/1.1\r\n${host}Expect: tea\r\nContent-Length: 2\r\n\r\n{}`,
      417,
    ],
  ])('%s is answered with an error', async (_name, bytes, status) => {
    const answer = await sendRaw(gateway.port, [bytes], status === 417 ? /\r\n\r\n/ : /\}$/);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    if (status !== 417) expect(answer).toMatch(/"(message)":/);
    const after = await fetch(`${gateway.url}/health`);
    expect(after.status).toBe(200);
  });

  it('serves many headers below the limit, none of them dropped', async () => {
    const headers = Array.from({ length: 1900 }, (_, index) => `h${index}: v\r\n`).join('');
    expect(await raw(`POST /v1/responses HTTP/1.1\r\n${headers}${host}Content-Length: 2\r\n\r\n{}`)).toMatch(
      /^HTTP\/1\.1 200 /,
    );
  });

  it('serves a request that arrives byte by byte, and two in one packet', async () => {
    const request = `POST /v1/responses HTTP/1.1\r\n${host}Content-Length: 2\r\n\r\n{}`;
    expect(await raw('', ...request.split(''))).toMatch(/^HTTP\/1\.1 200 /);
    const two = await sendRaw(gateway.port, [request + request], /HTTP.*HTTP.*\}$/s);
    expect(two.match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
  });

  it('ends only the request of an engine that fails', async () => {
    const response = await post('/v1/responses', '{"model":"reject"}');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('rejected on request');
    expect((await get('/health')).status).toBe(200);
  });
});

describe('web pages', () => {
  it('are refused from elsewhere, and under another name (DNS rebinding), in the shape of the route', async () => {
    const foreign = await post('/anthropic/v1/messages', '{}', { headers: { origin: 'https://evil.example' } });
    expect(foreign.status).toBe(403);
    expect(await foreign.json()).toMatchObject({ type: 'error', error: { type: 'permission_error' } });
    const rebound = await raw(`GET /metrics HTTP/1.1\r\nHost: evil.example:${gateway.port}\r\n\r\n`);
    expect(rebound).toMatch(/^HTTP\/1\.1 403 /);
  });

  it('of this machine may call and read the answer', async () => {
    const origin = 'http://localhost:3000';
    const answer = await post('/v1/responses', '{}', { headers: { origin } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    const preflight = await fetch(`${gateway.url}/v1/responses`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization');
  });
});
