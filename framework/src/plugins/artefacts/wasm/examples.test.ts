import type { ConversationRequest, ConversationResponse, LLMOutcome, LLMRequest, StreamEvent } from '@bifrost/sdk';
import { describe, expect, it, vi } from 'vitest';
import { variants } from './__tests__/example-files.ts';
import { openGuest, trace } from './__tests__/open-guest.ts';

// The first test of a variant builds it.
vi.setConfig({ testTimeout: 120_000 });

const head: LLMRequest = { model: 'fast', isStream: false, fallbacks: [] };

function ask(text: string, model = 'fast'): LLMRequest {
  const conversation: ConversationRequest = {
    model,
    stream: false,
    messages: [{ role: 'user', parts: [{ type: 'text', text }] }],
  };
  return { ...head, model, conversation };
}

function outcomeOf(text: string): LLMOutcome {
  const response: ConversationResponse = {
    id: 'r',
    candidates: [{ index: 0, parts: [{ type: 'text', text }], finishReason: { kind: 'stop' } }],
  };
  return { request: head, response, statusCode: 200, latencyMs: 5 };
}

const httpRequest = (headers: Record<string, string>, body?: Uint8Array) => ({
  method: 'POST',
  path: '/v1/chat/completions',
  query: {},
  headers,
  ...(body === undefined ? {} : { body }),
});

describe.each(variants('wasm-c'))('the C example, $what', ({ file, missing }) => {
  const config = {
    greeting: 'Grüße',
    stamp: 'v"7"',
    blockedTeam: 'red',
    aliases: { fast: 'mock/small', 'a-b': 'mock/b' },
  };

  it.skipIf(missing.length > 0)('answers a blocked team itself and lets the others pass', async () => {
    const guest = await openGuest(file(), { config });
    const run = guest.open({}, { 'x-team': 'red' });
    expect(await run.httpPre(httpRequest({ 'x-team': 'red' }))).toMatchObject({
      response: { statusCode: 403, body: '{"error":{"message":"This team is blocked."}}' },
    });
    expect(await guest.open().httpPre(httpRequest({ 'x-team': 'blue' }))).toBeUndefined();
  });

  it.skipIf(missing.length > 0)('resolves aliases, and says so to other plugins', async () => {
    const guest = await openGuest(file(), { config });
    expect(await guest.open().preRequest(head)).toEqual({ model: 'mock/small' });
    expect(await guest.open().preRequest({ ...head, model: 'other' })).toBeUndefined();
    const context = guest.context();
    guest.call('preRequestHook', { ...head, model: 'a-b' }, context);
    expect(context.getValue('alias')).toBe('a-b');
  });

  it.skipIf(missing.length > 0)('greets in the headers, stamps chunks and leaves [DONE] as it is', async () => {
    const guest = await openGuest(file(), { config });
    const run = guest.open({ isStream: true });
    void run.httpPre(httpRequest({}));
    expect(await run.responseHeaders({ statusCode: 200, headers: {} })).toEqual({ 'x-wasm-c': 'Grüße' });
    expect(await run.streamChunk({ data: '{"id":"é\\n"}', index: 0 })).toEqual({
      data: '{"stamp":"v\\"7\\"","id":"é\\n"}',
      index: 0,
    });
    expect(await run.streamChunk({ data: '{}', index: 1, event: 'x' })).toMatchObject({ data: '{"stamp":"v\\"7\\""}' });
    expect(await run.streamChunk({ data: '[DONE]', index: 2 })).toEqual({ data: '[DONE]', index: 2 });
  });

  it.skipIf(missing.length > 0)('counts requests in the state that all instances share', async () => {
    const guest = await openGuest(file(), { config });
    guest.call('inject', trace);
    guest.call('inject', { ...trace, statusCode: 502 });
    expect(guest.shared.add('requests', 0)).toBe(2);
    expect(guest.lines).toContain('info request 2 ended with status 502');
  });

  it.skipIf(missing.length > 0)('refuses a config of another shape', async () => {
    await expect(openGuest(file(), { config: { aliases: ['fast'] } })).rejects.toThrow('`aliases` must be an object');
  });
});

describe.each(variants('wasm-rust'))('the Rust example, $what', ({ file, missing }) => {
  const config = { forbidden: ['Geheim\u{1f511}', 'secret'], forbiddenTools: ['delete_file'], stamp: ' [ok]' };

  it.skipIf(missing.length > 0)('denies forbidden words in requests and answers', async () => {
    const guest = await openGuest(file(), { config });
    expect(guest.plugin.isGuard).toBe(true);
    expect(await guest.open().preLLM(ask('hello'))).toBeUndefined();
    expect(await guest.open().preLLM(ask('das ist Geheim\u{1f511}!'))).toMatchObject({
      error: {
        statusCode: 403,
        code: 'forbidden_word',
        allowFallbacks: false,
        message: expect.stringContaining('\u{1f511}'),
      },
    });
    const run = guest.open();
    void run.preLLM(ask('hello'));
    expect(await run.postLLM(outcomeOf('a "secret"'))).toMatchObject({ error: { statusCode: 403 } });
    const other = guest.open();
    void other.preLLM(ask('hello'));
    expect(await other.postLLM(outcomeOf('fine'))).toBeUndefined();
    expect(guest.shared.add('denied', 0)).toBe(2);
  });

  it.skipIf(missing.length > 0)('stamps the end of a text in the typed stream', async () => {
    const guest = await openGuest(file(), { config });
    const end: StreamEvent = { type: 'text-end', part: '0' };
    expect(guest.call('streamEventHook', end)).toEqual([{ type: 'text-delta', part: '0', text: ' [ok]' }, end]);
    expect(guest.call('streamEventHook', { type: 'text-delta', part: '0', text: 'x' })).toBeUndefined();
  });

  it.skipIf(missing.length > 0)('guards tools and connections', async () => {
    const guest = await openGuest(file(), { config });
    const request = { client: 'files', method: 'tools/call', tool: 'delete_file', arguments: { path: '/' } } as const;
    expect(guest.call('preMCPHook', request)).toMatchObject({ error: { code: 'forbidden_tool' } });
    expect(guest.call('preMCPHook', { ...request, tool: 'read_file' })).toBeUndefined();
    expect(guest.call('postMCPHook', { request, result: { text: 'a secret' }, latencyMs: 1 })).toMatchObject({
      result: { content: [{ text: '[withheld]' }] },
    });
    expect(guest.call('postMCPHook', { request, result: { text: 'fine' }, latencyMs: 1 })).toBeUndefined();
    expect(guest.call('preMCPConnectionHook', { client: 'files', connectionType: 'stdio' })).toMatchObject({
      error: { code: 'no_stdio' },
    });
    expect(guest.call('preMCPConnectionHook', { client: 'files', connectionType: 'http' })).toEqual({
      headers: { 'x-checked-by': 'wasm-rust' },
    });
    guest.call('postMCPConnectionHook', { client: 'files' });
    guest.call('inject', trace);
    expect(guest.lines.slice(-2)).toEqual(['info connected to "files"', 'info status 200, 0 denied so far']);
  });

  it.skipIf(missing.length > 0)('refuses a config of another shape', async () => {
    await expect(openGuest(file(), { config: { forbidden: [1] } })).rejects.toThrow('in the config: 1 is not a text');
  });
});

describe.each(variants('wasm-assemblyscript'))('the AssemblyScript example, $what', ({ file }) => {
  const config = { credentials: { short: 'sk-"long"' }, deniedModel: 'dear', stamp: '>> ', footer: '\n-- gäteway' };

  it('translates credentials before authentication, and its later hooks know', async () => {
    const guest = await openGuest(file(), { config });
    const context = guest.context();
    expect(guest.call('httpTransportPreAuthHook', httpRequest({ authorization: 'Bearer short' }), context)).toEqual({
      request: { headers: { authorization: 'Bearer sk-"long"' } },
    });
    expect(guest.call('httpTransportPreAuthHook', httpRequest({ authorization: 'Bearer other' }))).toBeUndefined();
    guest.call('inject', trace, context);
    expect(guest.lines).toEqual(['info status 200, credential translated']);
  });

  it('changes bodies as bytes, both ways', async () => {
    const guest = await openGuest(file(), { config });
    const body = new TextEncoder().encode('{"a":"ä"}');
    const run = guest.open({}, { 'x-upper': '1' });
    const outcome = await run.httpPre(httpRequest({ 'x-upper': '1' }, body));
    expect(new TextDecoder().decode(outcome?.body)).toBe('{"A":"Ä"}');
    const answer = await run.httpPost({ statusCode: 200, headers: {}, body: new TextEncoder().encode('hi') });
    expect(answer).toMatchObject({ headers: { 'x-footer': 'added' } });
    expect(new TextDecoder().decode(answer?.body as Uint8Array)).toBe('hi\n-- gäteway');
  });

  it('denies a model, stamps texts, hides its config', async () => {
    const guest = await openGuest(file(), { config });
    expect(await guest.open().preLLM(ask('hi', 'dear'))).toMatchObject({
      error: { statusCode: 403, code: 'model_denied' },
    });
    expect(await guest.open().preLLM(ask('hi', 'cheap'))).toBeUndefined();
    const start: StreamEvent = { type: 'text-start', part: 'p"1' };
    expect(guest.call('streamEventHook', start)).toEqual([start, { type: 'text-delta', part: 'p"1', text: '>> ' }]);
    expect(guest.plugin.redactConfig?.(config)).toEqual({ deniedModel: 'dear', credentials: '***' });
  });

  it('holds its memory over many calls', async () => {
    const guest = await openGuest(file(), { config });
    const call = (): unknown => guest.call('preLLMHook', ask('x'.repeat(2000)));
    for (let index = 0; index < 2000; index += 1) call();
    const before = guest.loaded.memoryBytes?.();
    for (let index = 0; index < 10_000; index += 1) call();
    expect(guest.loaded.memoryBytes?.()).toBe(before);
  });

  it('refuses a config of another shape', async () => {
    await expect(openGuest(file(), { config: { deniedModel: 1 } })).rejects.toThrow('`deniedModel` must be a text');
  });
});
