/** A secret of its own in every slot that takes one, every way to fail, and a search through all that leaves the gateway. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '@bifrost/sdk';
import { postJson, startReplayUpstream } from '@bifrost/testkit';
import type { ReplayUpstream } from '@bifrost/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Program } from '../__tests__/program.ts';

const canary = (slot: string): string => `canary-${slot}-9c41e7d2b6a8`;
const anyCanary = /canary-[a-z-]+-9c41e7d2b6a8/g;
const adminToken = canary('admin-token');
const callersKey = canary('inference-key');

const folder = mkdtempSync(join(tmpdir(), 'bifrost-canary-'));
let upstream: ReplayUpstream;
let program: Program;
let url = '';
const seen: string[] = [];

function configFor(base_url: string): JsonObject {
  const provider = (name: string, rest: JsonObject = {}): JsonObject => ({
    keys: [{ name: 'first', value: canary(`key-of-${name}`), models: ['*'], weight: 1 }],
    network_config: { base_url, extra_headers: { 'x-operator': canary(`header-of-${name}`) } },
    ...rest,
  });
  const proxy_config = { type: 'http', url: 'http://127.0.0.1:9', username: 'operator', password: canary('proxy') };
  return {
    client: { inference_key: callersKey, enforce_auth_on_inference: true, allow_per_request_raw_override: true },
    providers: {
      openai: provider('openai', { send_back_raw_request: true, send_back_raw_response: true }),
      anthropic: provider('anthropic'),
      gemini: provider('gemini'),
      groq: provider('groq', { proxy_config }),
      mistral: provider('mistral', { network_config: { base_url: 'http://127.0.0.1:9' } }),
    },
    plugins: [
      { name: 'throws', path: join(folder, 'throws.mjs'), enabled: true, config: { api_key: canary('plugin-config') } },
    ],
  };
}

beforeAll(async () => {
  writeFileSync(
    join(folder, 'throws.mjs'),
    `export default { name: 'throws', preLLMHook: () => { throw new Error('on purpose'); } };`,
  );
  upstream = await startReplayUpstream();
  writeFileSync(join(folder, 'config.json'), JSON.stringify(configFor(upstream.url)));
  program = new Program(
    ['-config', join(folder, 'config.json'), '-app-dir', folder, '-port', '0', '-threads', '2', '-log-level', 'debug'],
    { BIFROST_ADMIN_TOKEN: adminToken, OPENAI_API_KEY: canary('environment') },
  );
  url = (await program.ready()).replace('localhost', '127.0.0.1');
});
afterAll(async () => {
  await program[Symbol.asyncDispose]();
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What the caller of every request brings along; none of it may come back or go on. */
const callerHeaders = {
  authorization: `Bearer ${callersKey}`,
  'x-api-key': canary('caller-api-key'),
  cookie: `session=${canary('caller-cookie')}`,
  'x-bf-send-back-raw-request': 'true',
  'x-bf-send-back-raw-response': 'true',
  'x-bf-explain': 'true',
};

async function ask(
  path: string,
  body: JsonObject | string,
  headers: Readonly<Record<string, string>> = callerHeaders,
): Promise<void> {
  const answer = await postJson(url + path, body, headers);
  seen.push(`${answer.status} ${JSON.stringify(answer.headers)} ${answer.text()}`);
}

const messages = [{ role: 'user', content: 'Hello' }];

it('none of them is in an answer, whatever goes wrong', async () => {
  const failures = [
    { status: 401 },
    { status: 403 },
    { status: 429, retryAfter: 1 },
    { status: 500 },
    { status: 200, body: 'no JSON' },
    { delivery: { refuse: true } },
    { delivery: { dieAfterBytes: 20 }, status: 200, body: { id: 'c', object: 'chat.completion', choices: [] } },
  ];
  for (const failure of failures) {
    for (const model of ['openai/gpt-4o', 'anthropic/claude', 'gemini/gemini', 'groq/llama', 'mistral/m']) {
      upstream.reset();
      upstream.script([{ times: 5, ...failure }]);
      await ask('/v1/chat/completions', { model, messages });
      await ask('/anthropic/v1/messages', { model, messages, max_tokens: 9, stream: true });
    }
  }
  await ask('/v1/chat/completions', '{"model":');
  await ask('/v1/chat/completions', { model: 'nobody/x', messages });
  await ask(`/v1/chat/completions?key=${canary('caller-query')}`, { model: 'openai/gpt-4o', messages });
  await ask(
    '/v1/chat/completions',
    { model: 'openai/gpt-4o', messages },
    { authorization: `Bearer ${canary('guess')}` },
  );
  await ask('/v1/nothing', {});
  expect(seen.length).toBeGreaterThan(70);
  expect([...new Set(seen.join('\n').match(anyCanary))]).toEqual([]);
});

it('each provider got its own, and none of the caller nor of another', async () => {
  for (const [model, name] of [
    ['openai/gpt-4o', 'openai'],
    ['anthropic/claude', 'anthropic'],
    ['gemini/gemini', 'gemini'],
  ] as const) {
    upstream.reset();
    upstream.script([{ status: 500 }]);
    await ask(`/v1/chat/completions?key=${canary('caller-query')}&x=1`, { model, messages });
    const request = await upstream.request(0);
    const sent = `${request.path} ${JSON.stringify(request.headers)} ${request.body.toString()}`;
    expect(new Set(sent.match(anyCanary))).toEqual(new Set([canary(`key-of-${name}`), canary(`header-of-${name}`)]));
  }
});

it('none of them is in metrics, lists, the admin API, the log or the app directory', async () => {
  const admin = { authorization: `Bearer ${adminToken}` };
  for (const path of [
    '/metrics',
    '/health',
    '/health/ready',
    '/v1/models',
    '/anthropic/v1/models',
    '/genai/v1beta/models',
  ]) {
    const answer = await postJson(url + path, undefined, callerHeaders, { method: 'GET' });
    seen.push(`${path} ${answer.text()}`);
  }
  for (const path of ['/api/plugins', '/api/plugins/throws', '/api/plugins/throws/figures', '/api/explain']) {
    const answer = await postJson(url + path, undefined, admin, { method: 'GET' });
    expect(answer.status).toBe(200);
    seen.push(`${path} ${answer.text()}`);
  }
  expect([...new Set(seen.join('\n').match(anyCanary))]).toEqual([]);
  expect([...new Set(`${program.stdout}${program.stderr}`.match(anyCanary))]).toEqual([]);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !['config.json', 'throws.mjs'].includes(entry.name),
  );
  for (const { parentPath, name } of files) {
    expect([...new Set(readFileSync(join(parentPath, name), 'latin1').match(anyCanary))], name).toEqual([]);
  }
});
