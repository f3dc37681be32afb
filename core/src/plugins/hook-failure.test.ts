import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HookHandlers, LLMRequest, RequestTrace } from '@bifrost/sdk';
import { chainsOf, streamed, trace, untyped } from './__tests__/chains-of.ts';

const request: LLMRequest = { model: 'm', isStream: false, fallbacks: [] };
const denied = { statusCode: 500, code: 'BF_PLUGIN_HOOK_FAILED', origin: 'plugin', allowFallbacks: false };

type PreRequest = HookHandlers['preRequestHook'];
const never = (): Promise<never> => new Promise(() => undefined);
const failing: readonly (readonly [string, PreRequest, string])[] = [
  [
    'throws',
    () => {
      throw new Error('broken');
    },
    'Error: broken',
  ],
  [
    'throws something that is no error',
    () => {
      throw 'words';
    },
    'threw words, not an Error',
  ],
  [
    "throws in a file that a loader has marked as a plugin's",
    () => {
      const error = new Error('broken there');
      error.stack =
        'Error: broken there\n    at JSON.parse (<anonymous>)\n    at f (file:///srv/my%20own/in%20put.ts?plugin=p&g=3:12:5)';
      throw error;
    },
    'Error: broken there (in put.ts:12)',
  ],
  ['rejects', () => Promise.reject(new Error('broken later')), 'Error: broken later'],
  ['never resolves', never, 'did not settle within 5000 ms'],
  ['returns garbage', untyped<'preRequestHook'>(42), 'it must be an object, got 42'],
  ['resolves to garbage', untyped<'preRequestHook'>(Promise.resolve([])), 'it must be an object, got an array'],
  [
    'returns an object whose members throw',
    untyped<'preRequestHook'>({
      get model() {
        throw new Error('trap');
      },
    }),
    'cannot be read',
  ],
  ['changes its input', untyped<'preRequestHook'>(undefined), 'inputs are read-only'],
];

function failingHook(name: string, hook: PreRequest): PreRequest {
  if (name !== 'changes its input') return hook;
  return (_context, shown) => {
    (shown as { model: string }).model = 'stolen';
  };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Runs the phase to its end, deadlines included. */
async function finished<Value>(value: Value | Promise<Value>): Promise<Value> {
  await vi.advanceTimersByTimeAsync(5000);
  return value;
}

describe.each(failing)('a hook that %s', (name, hook, message) => {
  it('leaves the value before it, is logged and counted, and the next plugin runs', async () => {
    const { open, lines, chains } = chainsOf([
      { name: 'before', preRequestHook: () => ({ model: 'kept' }) },
      { name: 'bad', preRequestHook: failingHook(name, hook) },
      { name: 'after', preRequestHook: (_context, shown) => ({ fallbacks: [shown.model] }) },
    ]);
    expect(await finished(open().preRequest(request))).toEqual({ model: 'kept', fallbacks: ['kept'] });
    expect(lines).toEqual([expect.stringContaining('error bad plugin bad: preRequestHook')]);
    expect(lines[0]).toContain(message);
    const figures = chains.figures()[1]?.hooks.preRequestHook;
    expect((figures?.errors ?? 0) + (figures?.timeouts ?? 0)).toBe(1);
  });

  it('refuses the request when the plugin is a guard, and the plugins after it do not run', async () => {
    const calls: string[] = [];
    const { open } = chainsOf([
      { name: 'guard', guard: true, preRequestHook: failingHook(name, hook) },
      { name: 'after', preRequestHook: () => void calls.push('after') },
    ]);
    const outcome = await finished(open().preRequest(request));
    expect(outcome).toEqual({ error: expect.objectContaining(denied) });
    expect(outcome?.error?.message).toContain('plugin "guard"');
    expect(outcome?.error?.message).not.toContain('broken');
    expect(calls).toEqual([]);
  });
});

describe('the policies of a failing hook', () => {
  const broken: PreRequest = () => {
    throw new Error('broken');
  };

  it('denies without being a guard where the hook says so, and lets a guard pass where it says so', () => {
    const deny = chainsOf([{ name: 'a', preRequestHook: { onError: 'deny', handler: broken } }]).open();
    expect(deny.preRequest(request)).toEqual({ error: expect.objectContaining(denied) });
    const open = chainsOf([
      { name: 'a', guard: true, preRequestHook: { onError: 'continue', handler: broken } },
    ]).open();
    expect(open.preRequest(request)).toBeUndefined();
  });

  it("leaves out a plugin's other hooks for the rest of the request with skip", () => {
    const calls: string[] = [];
    const { open } = chainsOf([
      { name: 'a', preRequestHook: { onError: 'skip', handler: broken }, preLLMHook: () => void calls.push('a') },
      { name: 'b', preLLMHook: () => void calls.push('b') },
    ]);
    const run = open();
    void run.preRequest(request);
    void run.preLLM(request);
    void open().preLLM(request);
    expect(calls).toEqual(['b', 'a', 'b']);
  });

  it('disables the plugin after n failures in a row, tells once, and counts from anew after a success', () => {
    const reasons: string[] = [];
    let calls = 0;
    const { open } = chainsOf([
      {
        name: 'a',
        onDisabled: (reason) => reasons.push(reason),
        preRequestHook: {
          onError: { disableAfter: 2 },
          handler() {
            calls += 1;
            if (calls !== 2) throw new Error('broken');
          },
        },
        preLLMHook: () => void (calls += 100),
      },
    ]);
    for (let index = 0; index < 6; index += 1) void open().preRequest(request);
    expect(calls).toBe(4);
    expect(reasons).toEqual(['preRequestHook failed 2 times in a row']);
    void open().preLLM(request);
    expect(calls).toBe(4);
  });

  it('keeps refusing without calling it when the disabled plugin is a guard', () => {
    let calls = 0;
    const { open } = chainsOf([
      {
        name: 'a',
        guard: true,
        preRequestHook: {
          onError: { disableAfter: 1 },
          handler() {
            calls += 1;
            throw new Error('x');
          },
        },
      },
    ]);
    for (let index = 0; index < 3; index += 1) {
      expect(open().preRequest(request)).toEqual({ error: expect.objectContaining(denied) });
    }
    expect(calls).toBe(1);
  });

  it('logs a hook that fails all the time only now and then, with the number left out', async () => {
    const { open, lines, chains } = chainsOf([{ name: 'a', breaker: false, preRequestHook: broken }]);
    for (let index = 0; index < 50; index += 1) void open().preRequest(request);
    expect(lines.length).toBeLessThan(10);
    await vi.advanceTimersByTimeAsync(1001);
    const before = lines.length;
    void open().preRequest(request);
    expect(lines.length).toBe(before + 1);
    expect(chains.figures()[0]).toMatchObject({
      failuresInARow: 51,
      hooks: { preRequestHook: { calls: 51, errors: 51 } },
    });
  });

  it('puts failures on the trace that inject sees', async () => {
    const traces: RequestTrace[] = [];
    const run = chainsOf([
      { name: 'a', preRequestHook: broken, inject: (_context, seen) => void traces.push(seen) },
    ]).open();
    void run.preRequest(request);
    run.finish(trace);
    await vi.advanceTimersByTimeAsync(1);
    expect(traces[0]?.pluginFailures).toEqual([
      { plugin: 'a', hook: 'preRequestHook', kind: 'threw', message: 'Error: broken' },
    ]);
  });
});

describe('a guard that fails', () => {
  const guardWith = (hook: string) =>
    chainsOf([
      {
        name: 'guard',
        guard: true,
        [hook]: () => {
          throw new Error('broken');
        },
      },
    ]).open();
  const error = expect.objectContaining(denied);

  it('denies in every phase that can say so', () => {
    expect(guardWith('httpTransportPreHook').httpPre({ method: 'GET', path: '/', query: {}, headers: {} })).toEqual({
      headers: {},
      error,
    });
    expect(guardWith('preLLMHook').preLLM(request)).toEqual({ error });
    expect(guardWith('postLLMHook').postLLM({ request, statusCode: 200, latencyMs: 1 })).toEqual({ error });
    expect(streamed(guardWith('streamEventHook'))({ type: 'text-start', part: '0' })).toEqual([
      { type: 'error', error },
    ]);
    expect(guardWith('httpTransportStreamChunkHook').streamChunk({ data: 'secret', index: 0 })).toEqual({ error });
  });

  it('lets nothing of the answer leave after httpTransportResponseHeadersHook failed', async () => {
    const run = guardWith('httpTransportResponseHeadersHook');
    expect(run.responseHeaders({ statusCode: 200, headers: {} })).toBeUndefined();
    expect(run.denial).toEqual(error);
    expect(run.streamChunk({ data: 'secret', index: 0 })).toEqual({ error });
    expect(streamed(run)({ type: 'text-delta', part: '0', text: 'secret' })).toEqual([{ type: 'error', error }]);
    const post = await run.httpPost({ statusCode: 200, headers: {}, body: 'secret' });
    expect(post).toMatchObject({ statusCode: 500 });
    expect(String(post?.body)).toContain('BF_PLUGIN_HOOK_FAILED');
  });

  it('replaces the whole answer when httpTransportPostHook failed', () => {
    const run = guardWith('httpTransportPostHook');
    expect(run.httpPost({ statusCode: 200, headers: {}, body: 'secret' })).toMatchObject({ statusCode: 500 });
    expect(run.denial).toEqual(error);
  });
});
