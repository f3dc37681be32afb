import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '@bifrost/sdk';
import { Gateway } from './gateway.ts';

const messages = [{ role: 'user', content: 'Hello' }];
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A provider that answers as told; resolves with its address. */
async function startProvider(answer: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('the engine inside another program', () => {
  it('answers without any provider, whole and as a stream', async () => {
    await using gateway = new Gateway();
    const answer = await gateway.chat({ model: 'mock/hello', messages });
    expect(answer).toMatchObject({ choices: [{ message: { content: 'You said: Hello' } }] });
    let text = '';
    for await (const chunk of gateway.streamChat({ model: 'mock/hello', messages })) {
      const [choice] = chunk['choices'] as unknown as readonly { readonly delta?: { readonly content?: string } }[];
      text += choice?.delta?.content ?? '';
    }
    expect(text).toBe('You said: Hello');
  });

  it('speaks other words to the same provider, and says in headers how it went', async () => {
    await using gateway = new Gateway();
    expect(await gateway.messages({ model: 'mock/hello', max_tokens: 9, messages })).toMatchObject({ type: 'message' });
    const response = await gateway.request('responses', { model: 'mock/hello', input: 'Hello' });
    expect([response.status, response.headers.get('x-bf-provider')]).toEqual([200, 'mock']);
    await response.text();
  });

  it('sends keys to the provider, and rejects with what it answers', async () => {
    let authorization: string | undefined;
    const baseUrl = await startProvider((request, response) => {
      authorization = request.headers.authorization;
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end('{"error":{"message":"no such tool","type":"invalid_request_error"}}');
    });
    await using gateway = new Gateway({ providers: { openai: { keys: ['sk-1'], baseUrl } } });
    await expect(gateway.chat({ model: 'openai/gpt', messages })).rejects.toMatchObject({
      code: 'BF_GATEWAY_REQUEST_FAILED',
      statusCode: 400,
      message: expect.stringContaining('no such tool'),
    });
    expect(authorization).toBe('Bearer sk-1');
  });

  it('ends the call to the provider when the reader leaves, and when the signal says so', async () => {
    const gone: Promise<unknown>[] = [];
    const baseUrl = await startProvider((request, response) => {
      request.resume();
      gone.push(once(response, 'close'));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const choices = [{ index: 0, delta: { content: 'x' }, finish_reason: null }];
      response.write(
        `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices })}\n\n`,
      );
    });
    const gateway = new Gateway({ providers: { openai: { keys: [{ value: 'sk', name: 'main' }], baseUrl } } });
    const body: JsonObject = { model: 'openai/gpt', messages };
    for await (const chunk of gateway.streamChat(body)) {
      expect(chunk['choices']).toBeDefined();
      break;
    }
    await gone[0];
    const controller = new AbortController();
    const asked = gateway.request('chat', { ...body, stream: true }, { signal: controller.signal });
    const response = await asked;
    controller.abort(new Error('enough'));
    await expect(response.text()).rejects.toThrow('enough');
    await gone[1];
    await expect(gateway.chat(body, { signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late');
    await gateway.close();
    await expect(gateway.chat({ model: 'mock/x', messages })).rejects.toMatchObject({ statusCode: 503 });
  });

  it.each([
    [{ opnai: {} }, 'providers.opnai: there is no such provider; expected one of openai, anthropic'],
    [{ openai: {} }, 'providers.openai: there is no key'],
    [{ openai: { keys: [''] } }, 'providers.openai: there is no key'],
  ])('refuses %j', (providers, message) => expect(() => new Gateway({ providers })).toThrow(message));
});
