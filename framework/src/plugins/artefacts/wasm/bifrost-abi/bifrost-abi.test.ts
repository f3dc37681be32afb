import type { ConversationResponse, ErrorInfo, JsonObject, LLMOutcome, LLMRequest } from '@bifrost/sdk';
import { describe, expect, it, vi } from 'vitest';
import { compileGuest } from '../__tests__/compile-guest.ts';
import { variants } from '../__tests__/example-files.ts';
import { loadGuest, openGuest } from '../__tests__/open-guest.ts';

// The first test of a variant builds it.
vi.setConfig({ testTimeout: 120_000 });

const body = new TextEncoder().encode('{"model":"m","text":"é"}');
const httpRequest = (headers: Record<string, string | string[]> = {}) => ({
  method: 'POST',
  path: '/v1/chat/completions',
  query: { a: ['1', '2'] },
  headers: { 'content-length': '24', ...headers },
  body,
});

function ask(model: string): LLMRequest {
  return {
    provider: 'openai',
    model,
    isStream: false,
    fallbacks: ['mock/b'],
    conversation: {
      model,
      stream: false,
      temperature: 0.5,
      messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hello' }] }],
    },
  };
}

const answered: ConversationResponse = {
  id: 'r1',
  model: 'm',
  createdAt: 1,
  candidates: [{ index: 0, parts: [{ type: 'text', text: 'Hi' }], finishReason: { kind: 'stop', raw: 'stop' } }],
  usage: { inputTokens: 1, outputTokens: 2 },
};
const outcome: LLMOutcome = { request: ask('m'), response: answered, statusCode: 200, latencyMs: 3 };
const error: ErrorInfo = { statusCode: 503, message: 'down', origin: 'provider', code: 'overloaded' };
const chunk = '{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"é"}}]}';

const guests = [
  { language: 'C', wasm: 'guest-c.wasm', name: 'Bifrost-C-Guest' },
  { language: 'Rust', wasm: 'guest-rust.wasm', name: 'Bifrost-Rust-Guest' },
  { language: 'AssemblyScript', wasm: 'guest-assemblyscript.wasm', name: 'Bifrost-AssemblyScript-Guest' },
];
const all = variants('wasm-bifrost-abi').flatMap((variant) => guests.map((guest) => ({ ...variant, ...guest })));

describe.each(all)("a guest of Bifrost's own ABI in $language, $what", ({ file, missing, wasm, name }) => {
  const open = (config: JsonObject = { tag: 't"1' }) => openGuest(file(wasm), { config });

  it.skipIf(missing.length > 0)('has its name and its hooks', async () => {
    const { plugin } = await open();
    expect(plugin.actualName).toBe(name);
    expect(Object.keys(plugin.hooks).toSorted()).toEqual([
      'httpTransportPostHook',
      'httpTransportPreHook',
      'httpTransportStreamChunkHook',
      'postLLMHook',
      'preLLMHook',
    ]);
  });

  it.skipIf(missing.length > 0)('refuses a config by a status that is not 0', async () => {
    await expect(open({ refuse: true })).rejects.toThrow('init returned 1; 0 is success');
  });

  it.skipIf(missing.length > 0)('changes headers, and nothing that it only echoed', async () => {
    const guest = await open();
    const run = guest.open();
    expect(await run.httpPre(httpRequest({ 'x-team': ['red', 'blue'] }))).toEqual({ headers: { 'x-guest': 't"1' } });
  });

  it.skipIf(missing.length > 0)('answers by itself', async () => {
    const guest = await open();
    const denied = await guest.open().httpPre(httpRequest({ 'x-deny': '1' }));
    expect(denied).toMatchObject({ response: { statusCode: 403, headers: { 'content-type': 'application/json' } } });
    expect(new TextDecoder().decode(denied?.response?.body as Uint8Array)).toBe('{"error":"denied"}');
  });

  it.skipIf(missing.length > 0)('has one context through its hooks, which other plugins can read', async () => {
    const guest = await open();
    const context = guest.context();
    guest.call('httpTransportPreHook', httpRequest(), context);
    guest.call('preLLMHook', ask('m'), context);
    expect(guest.call('postLLMHook', outcome, context)).toBeUndefined();
    expect(guest.call('httpTransportPostHook', { statusCode: 200, headers: {}, body }, context)).toBeUndefined();
    for (const key of ['from-http-pre', 'from-pre', 'from-post', 'from-http-post'])
      expect(context.getValue(key)).toBe('t"1');
    expect(context.state.get('bifrost.context')).toMatchObject({ request_id: 'request-1', 'from-pre': 't"1' });
  });

  it.skipIf(missing.length > 0)('short-circuits by an error and by an answer', async () => {
    const guest = await open({ tag: 't', deny_model: 'dear' });
    expect(await guest.open().preLLM(ask('dear'))).toMatchObject({
      error: {
        statusCode: 403,
        message: 'denied by the guest',
        type: 'denied',
        allowFallbacks: false,
        origin: 'plugin',
      },
    });
    expect(await guest.open().preLLM(ask('cached'))).toMatchObject({
      response: {
        id: 'cached-1',
        candidates: [{ parts: [{ type: 'text', text: 'from the guest' }], finishReason: { kind: 'stop' } }],
      },
    });
    expect(await guest.open().preLLM(ask('m'))).toBeUndefined();
  });

  it.skipIf(missing.length > 0)('leaves errors that it only echoes as they are', async () => {
    const guest = await open();
    const failed: LLMOutcome = { request: ask('m'), error, statusCode: 503, latencyMs: 1 };
    expect(guest.call('postLLMHook', failed)).toBeUndefined();
  });

  it.skipIf(missing.length > 0)('takes chunks as JSON or as base64, and leaves [DONE] alone', async () => {
    const guest = await open();
    const context = guest.context();
    const changed = guest.call('httpTransportStreamChunkHook', { data: chunk, index: 0 }, context);
    // The Rust guest passes them on as they are.
    if (wasm === 'guest-rust.wasm') expect(changed).toBeUndefined();
    else expect(changed).toEqual({ data: chunk.replace('{', '{"stamp":"t\\"1",') });
    expect(guest.call('httpTransportStreamChunkHook', { data: chunk, index: 1 }, context)).toEqual(changed);
    expect(guest.call('httpTransportStreamChunkHook', { data: '[DONE]', index: 2 }, context)).toBeUndefined();
    expect(context.getValue('from-chunk')).toBe('t"1');
  });

  it.skipIf(missing.length > 0)('does not grow for ever, whatever its allocator does', async () => {
    const maxMemoryBytes = 8 * 1024 * 1024;
    const guest = await openGuest(file(wasm), { maxMemoryBytes });
    const request = ask('m');
    const sizes: number[] = [];
    for (let index = 0; index < 6000; index += 1) {
      expect(guest.call('preLLMHook', request)).toBeUndefined();
      sizes.push(guest.loaded.memoryBytes?.() ?? 0);
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(maxMemoryBytes);
    // What never frees was begun again, and what frees did not come that far.
    expect(Math.min(...sizes.slice(-2000))).toBeLessThan(0.6 * maxMemoryBytes);
  });

  it.skipIf(missing.length > 0)('takes an input larger than the heap that it began with', async () => {
    const guest = await open();
    const large = { ...httpRequest(), body: new Uint8Array(300_000).fill(120) };
    expect(guest.call('httpTransportPreHook', large)).toEqual({ request: { headers: { 'x-guest': 't"1' } } });
  });
});

describe("Bifrost's own ABI", () => {
  const files = variants('wasm-bifrost-abi')[0];
  const openFile = (wasm: string, config: JsonObject = {}, manifest = {}) =>
    openGuest(files?.file(wasm) ?? '', { config, manifest });

  it('changes the messages of a request, and keeps what the guest did not touch', async () => {
    const guest = await openFile('guest-rust.wasm', { system: 'Be "brief".' });
    const changed = guest.call('preLLMHook', ask('m')) as { conversation: LLMRequest['conversation'] };
    expect(changed.conversation).toMatchObject({
      model: 'm',
      temperature: 0.5,
      messages: [
        { role: 'system', parts: [{ type: 'text', text: 'Be "brief".' }] },
        { role: 'user', parts: [{ type: 'text', text: 'Hello' }] },
      ],
    });
  });

  it('recovers from an error with an answer', async () => {
    const guest = await openFile('guest-assemblyscript.wasm', { recover: true });
    const failed: LLMOutcome = { request: ask('m'), error, statusCode: 503, latencyMs: 1 };
    expect(guest.call('postLLMHook', failed)).toMatchObject({ response: { id: 'recovered-1' } });
    expect(guest.call('postLLMHook', outcome)).toBeUndefined();
  });

  it("has Bifrost's effect of an error: 500 with its text from a transport hook, a failed call from an LLM hook", async () => {
    const guest = await openFile('guest-assemblyscript.wasm');
    expect(guest.call('httpTransportPreHook', httpRequest({ 'x-fail': '1' }))).toMatchObject({
      response: { statusCode: 500, body: 'the guest failed' },
    });
    expect(() => guest.call('preLLMHook', ask('broken'))).toThrow('pre_hook failed: the guest cannot judge it');
  });

  it('drops a chunk that the guest skips', async () => {
    const guest = await openFile('guest-assemblyscript.wasm');
    expect(guest.call('httpTransportStreamChunkHook', { data: '{"id":"x","choices":[]}', index: 0 })).toBeNull();
  });

  it('calls only the hooks that a manifest states, with its options', async () => {
    const guest = await openFile('guest-c.wasm', {}, { guard: true, hooks: { preLLMHook: { reads: 'head' } } });
    expect(Object.keys(guest.plugin.hooks)).toEqual(['preLLMHook']);
    expect(guest.plugin.hooks.preLLMHook).toMatchObject({ reads: 'head' });
    expect(guest.plugin.isGuard).toBe(true);
    expect(guest.call('preLLMHook', { model: 'm', isStream: false, fallbacks: [] })).toBeUndefined();
  });

  it("takes TinyGo's names of the allocator", async () => {
    const file = await compileGuest(`
      let freed = 0;
      export function plugin_malloc(size: u32): usize { return heap.alloc(size); }
      export function plugin_free(pointer: usize): void { freed += 1; }
      function packed(text: string): u64 {
        const bytes = String.UTF8.encode(text);
        return ((<u64>changetype<usize>(bytes)) << 32) | (<u64>bytes.byteLength);
      }
      export function get_name(): u64 { return packed('tiny go'); }
      export function init(pointer: usize, length: u32): i32 { return 0; }
      export function cleanup(): i32 { return 0; }
      export function pre_hook(pointer: usize, length: u32): u64 {
        return packed('{"context":{"freed":' + freed.toString() + '},"error":""}');
      }
    `);
    const guest = await openGuest(file);
    expect(guest.plugin.actualName).toBe('tiny-go');
    const context = guest.context();
    guest.call('preLLMHook', ask('m'), context);
    guest.call('preLLMHook', ask('m'), context);
    // The name, the config, then output and input of the first hook.
    expect(context.getValue('freed')).toBe(4);
  });

  it.each([
    ['what is not JSON', `return packed('{');`, 'pre_hook returned what is not JSON'],
    [
      'a range beyond its memory',
      'return 0x7fffffff00000010;',
      'pre_hook returned 16 bytes at 2147483647, beyond its memory',
    ],
    ['a trap', 'unreachable();', 'pre_hook: trap: unreachable in guest/pre_hook'],
    [
      'a short-circuit without an answer',
      `return packed('{"has_short_circuit":true,"short_circuit":{}}');`,
      'pre_hook says has_short_circuit without a chat answer',
    ],
  ])('%s is a failed call', async (_what, work, words) => {
    const file = await compileGuest(`
      export function malloc(size: u32): usize { return heap.alloc(size); }
      export function packed(text: string): u64 {
        const bytes = String.UTF8.encode(text);
        return ((<u64>changetype<usize>(bytes)) << 32) | (<u64>bytes.byteLength);
      }
      export function get_name(): u64 { return packed('hostile'); }
      export function init(pointer: usize, length: u32): i32 { return 0; }
      export function pre_hook(pointer: usize, length: u32): u64 { ${work} return 0; }
    `);
    const guest = await openGuest(file);
    expect(() => guest.call('preLLMHook', ask('m'))).toThrow(words);
    expect(() => guest.call('preLLMHook', ask('m'))).toThrow(words);
  });

  it('a missing export is named', async () => {
    const file = await compileGuest(
      'export function mallok(size: u32): u32 { return 0; } export function get_name(): u64 { return 0; } export function pre_hook(a: u32, b: u32): u64 { return 0; }',
    );
    await expect(loadGuest(file, [])).rejects.toThrow(
      'it does not export the function "malloc"; it exports "mallok": did you mean "malloc"?',
    );
  });
});
