import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { startGatewayProcess } from './gateway-process.ts';

const key = 'sk-bf-key-of-the-callers';
const client = { inference_key: key, enforce_auth_on_inference: true };
const messages = [{ role: 'user' as const, content: 'Hello' }];

const folder = mkdtempSync(join(tmpdir(), 'bifrost-keys-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Turns the tickets of another system into the key, and says what the hook after authentication saw. */
const translator = join(folder, 'translator.mjs');
writeFileSync(
  translator,
  `export default {
  name: 'translator',
  httpTransportPreAuthHook: (_context, { headers }) =>
    headers['x-ticket'] === 'good' ? { request: { headers: { authorization: 'Bearer ${key}' } } } : undefined,
  httpTransportPreHook: (context) => void context.log.warn('behind the gate'),
};`,
);

describe('the inference key', () => {
  it('is what the official SDKs send as their own key', async () => {
    await using gateway = await startGatewayProcess({ client }, ['-threads', '1']);
    const { url } = gateway;
    const ask = (apiKey: string): readonly (() => Promise<unknown>)[] => {
      const openai = new OpenAI({ baseURL: `${url}/openai/v1`, apiKey, maxRetries: 0 });
      const anthropic = new Anthropic({ baseURL: `${url}/anthropic`, apiKey, maxRetries: 0 });
      const google = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: `${url}/genai` } });
      return [
        () => openai.chat.completions.create({ model: 'mock/hello', messages }),
        () => anthropic.messages.create({ model: 'mock/hello', max_tokens: 9, messages }),
        () => google.models.generateContent({ model: 'mock/hello', contents: 'Hello' }),
      ];
    };
    for (const call of ask(key)) await expect(call()).resolves.toBeDefined();
    for (const call of ask('sk-bf-guess')) await expect(call()).rejects.toMatchObject({ status: 401 });
    expect(gateway.output()).not.toContain(key);
  });

  it('may be put in by a plugin that translates credentials, before anything behind the gate runs', async () => {
    const plugins = [{ name: 'translator', path: translator, enabled: true }];
    await using gateway = await startGatewayProcess({ client, plugins }, ['-threads', '1']);
    const ask = async (headers: Readonly<Record<string, string>>, path = '/v1/chat/completions'): Promise<Response> =>
      fetch(gateway.url + path, { method: 'POST', headers, body: JSON.stringify({ model: 'mock/hello', messages }) });
    const refused = await ask({ 'x-ticket': 'bad' });
    expect(await refused.json()).toMatchObject({ is_bifrost_error: true, error: { code: 'BF_HTTP_INFERENCE_KEY' } });
    expect(refused.status).toBe(401);
    const shaped = await ask({}, '/anthropic/v1/messages');
    expect(await shaped.json()).toMatchObject({ type: 'error', error: { type: 'authentication_error' } });
    expect((await ask({ 'x-ticket': 'good' })).status).toBe(200);
    expect((await ask({ 'x-api-key': key })).status).toBe(200);
    await vi.waitFor(() => expect(gateway.output().match(/behind the gate/g)).toHaveLength(2), 5000);
    const list = await fetch(`${gateway.url}/v1/models`, { headers: { 'x-ticket': 'good' } });
    expect(list.status).toBe(401);
    expect(gateway.output().match(/behind the gate/g)).toHaveLength(2);
  });
});
