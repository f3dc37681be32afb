import fc from 'fast-check';
import type { LLMRequest } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import { chainsOf, trace } from './__tests__/chains-of.ts';
import type { TestPlugin } from './__tests__/chains-of.ts';
import { requestDraw } from './request-share.ts';
import { mergeShadowComparisons } from './shadow-comparison.ts';

const request: LLMRequest = {
  model: 'm',
  isStream: false,
  fallbacks: [],
  conversation: { model: 'm', stream: false, messages: [] },
};

describe('the draw of a request', () => {
  it('is spread evenly over ids of any form, and the same for the same id', () => {
    for (const idOf of [(n: number) => `request-${n}`, (n: number) => String(n * 1000), () => crypto.randomUUID()]) {
      const draws = Array.from({ length: 20_000 }, (_, n) => requestDraw(idOf(n)));
      for (const share of [0.01, 0.1, 0.5, 0.9]) {
        const chosen = draws.filter((draw) => draw < share).length / draws.length;
        expect(Math.abs(chosen - share)).toBeLessThan(0.02);
      }
    }
    fc.assert(fc.property(fc.string(), (id) => requestDraw(id) === requestDraw(id) && requestDraw(id) < 1));
  });
});

describe('a canary', () => {
  const tracer = (name: string, calls: string[], more: Partial<TestPlugin> = {}): TestPlugin => ({
    name,
    preRequestHook: () => void calls.push(`pre ${name}`),
    postLLMHook: () => void calls.push(`post ${name}`),
    ...more,
  });
  const pass = (open: ReturnType<typeof chainsOf>['open'], requestId: string): void => {
    const run = open({ requestId });
    void run.preRequest(request);
    void run.postLLM({ request, statusCode: 200, latencyMs: 1 });
  };

  it("stands in its plugin's place for its share of requests, and nowhere else for the rest", () => {
    const calls: string[] = [];
    const { open } = chainsOf([
      tracer('first', calls),
      tracer('old', calls),
      tracer('last', calls),
      tracer('new', calls, { canary: { of: 'old', share: 0.3 }, placement: 'pre_builtin', order: -5 }),
    ]);
    const seen = new Map<string, number>();
    for (let index = 0; index < 1000; index += 1) {
      calls.length = 0;
      pass(open, `request-${index}`);
      const way = calls.join(', ');
      seen.set(way, (seen.get(way) ?? 0) + 1);
    }
    const way = (name: string): string => `pre first, pre ${name}, pre last, post last, post ${name}, post first`;
    expect([...seen.keys()].toSorted()).toEqual([way('new'), way('old')]);
    expect(seen.get(way('new'))).toBeGreaterThan(240);
    expect(seen.get(way('new'))).toBeLessThan(360);
  });

  it('takes all requests with a share of 1, none with 0, and its own filter still holds', () => {
    for (const [share, expected] of [
      [1, ['pre new', 'post new']],
      [0, ['pre old', 'post old']],
    ] as const) {
      const calls: string[] = [];
      const { open } = chainsOf([tracer('old', calls), tracer('new', calls, { canary: { of: 'old', share } })]);
      pass(open, 'r');
      expect(calls).toEqual(expected);
    }
    const calls: string[] = [];
    const { open } = chainsOf([
      tracer('old', calls),
      tracer('new', calls, {
        canary: { of: 'old', share: 1 },
        preRequestHook: { filter: { header: 'x-none' }, handler: () => void calls.push('pre new') },
      }),
    ]);
    pass(open, 'r');
    expect(calls).toEqual(['post new']);
  });
});

describe('a shadow', () => {
  const real: TestPlugin = {
    name: 'old',
    preRequestHook: (_, shown) => (shown.model === 'm' ? { model: 'real' } : undefined),
  };

  async function watched(shadow: Partial<TestPlugin>, models: readonly string[] = ['m'], share = 1) {
    const made = chainsOf([real, { name: 'new', shadow: { of: 'old', share }, ...shadow }]);
    const outcomes = [];
    for (const [index, model] of models.entries()) {
      const run = made.open({ requestId: `r${index}` });
      outcomes.push(await run.preRequest({ ...request, model }));
      void run.preLLM(request);
      run.finish(trace);
    }
    await made.chains.whenIdle();
    return { ...made, outcomes, comparison: made.chains.comparisons()[0] };
  }

  it('is never applied; what it decides is compared', async () => {
    const { outcomes, comparison, lines } = await watched(
      { preRequestHook: async (_, shown) => (shown.model === 'm' ? { model: 'real' } : { model: 'else' }) },
      ['m', 'x', 'm'],
    );
    expect(outcomes).toEqual([{ model: 'real' }, undefined, { model: 'real' }]);
    expect(lines).toEqual([]);
    expect(comparison).toEqual({
      candidate: 'new',
      of: 'old',
      equal: 2,
      different: 1,
      failed: 0,
      dropped: 0,
      differences: [
        {
          requestId: 'r1',
          hook: 'preRequestHook',
          at: expect.any(Number),
          real: { decision: 'unchanged' },
          candidate: { decision: 'changed', changes: [{ op: 'replace', path: '/model', value: 'else' }] },
        },
      ],
    });
    expect(structuredClone(comparison)).toEqual(comparison);
  });

  it('may fail, block on a promise, or change its copy without the request hearing of it', async () => {
    const { outcomes, comparison, chains, lines } = await watched({
      timeoutMs: 10,
      preRequestHook: () => new Promise(() => undefined),
      preLLMHook: {
        reads: 'messages',
        handler(context, shown) {
          context.setValue('leak', true);
          const { messages = [] } = shown.conversation ?? {};
          (messages as unknown[]).push('changed');
        },
      },
    });
    expect(outcomes).toEqual([{ model: 'real' }]);
    expect(request.conversation?.messages).toEqual([]);
    expect(lines).toEqual([]);
    expect(comparison).toMatchObject({ different: 2, failed: 2 });
    expect(chains.figures().find(({ plugin }) => plugin === 'new')?.hooks).toMatchObject({
      preRequestHook: { calls: 1, errors: 1 },
      preLLMHook: { calls: 1, errors: 1 },
    });
  });

  it('is told of the end of a request that it saw, once, after its last call', async () => {
    const events: string[] = [];
    await watched({
      preRequestHook: async () => {
        await Promise.resolve();
        events.push('call');
      },
      onRequestEnd: () => void events.push('end'),
    });
    expect(events).toEqual(['call', 'end']);
  });

  it('is shown what it asks to read, also in a hook that the other plugin does not have', async () => {
    const seen: unknown[] = [];
    const { chains, comparison } = await watched({
      preLLMHook: { reads: 'messages', handler: (_, shown) => void seen.push(shown.conversation) },
    });
    expect(chains.needs.preLLM).toBe('messages');
    expect(seen).toEqual([request.conversation]);
    expect(comparison).toMatchObject({ equal: 1, different: 0 });
  });

  it('is compared by what its patch of headers changes: headers that it does not name are no difference', async () => {
    const { chains, open } = chainsOf([
      {
        name: 'old',
        httpTransportResponseHeadersHook: () => ({ headers: { 'X-Plugin': 'old', server: null } }),
        httpTransportPostHook: () => ({ headers: { 'x-same': '1' } }),
      },
      {
        name: 'new',
        shadow: { of: 'old', share: 1 },
        httpTransportResponseHeadersHook: () => ({ headers: { 'x-plugin': 'new', 'content-type': 'text/html' } }),
        httpTransportPostHook: () => ({ headers: { 'X-Same': '1' } }),
      },
    ]);
    const run = open();
    const head = { statusCode: 200, headers: { server: 'a', 'content-type': 'text/plain', date: 'now' } };
    void run.responseHeaders(head);
    void run.httpPost({ ...head, body: new Uint8Array() });
    run.finish(trace);
    await chains.whenIdle();
    expect(chains.comparisons()[0]).toMatchObject({ equal: 1, different: 1 });
    expect(chains.comparisons()[0]?.differences[0]).toMatchObject({
      real: {
        decision: 'changed',
        changes: [
          { op: 'remove', path: '/headers/server' },
          { op: 'add', path: '/headers/x-plugin', value: 'old' },
        ],
      },
      candidate: {
        decision: 'changed',
        changes: [
          { op: 'replace', path: '/headers/content-type', value: 'text/html' },
          { op: 'add', path: '/headers/x-plugin', value: 'new' },
        ],
      },
    });
  });

  it('decides the same where both fail, whatever their words', async () => {
    const { chains, open } = chainsOf([
      { name: 'old', preRequestHook: () => Promise.reject(new Error('one')) },
      { name: 'new', shadow: { of: 'old', share: 1 }, preRequestHook: () => Promise.reject(new Error('other')) },
    ]);
    const run = open();
    await run.preRequest(request);
    run.finish(trace);
    await chains.whenIdle();
    expect(chains.comparisons()[0]).toMatchObject({ equal: 1, different: 0, failed: 0 });
  });

  it('waits in a bounded line: what is beyond 1,000 calls under way is dropped and counted, and it takes up again after them', async () => {
    const { chains, open } = chainsOf([
      real,
      { name: 'new', shadow: { of: 'old', share: 1 }, preRequestHook: () => undefined },
    ]);
    const ask = (times: number): void => {
      for (let index = 0; index < times; index += 1) {
        const run = open();
        void run.preRequest(request);
        run.finish(trace);
      }
    };
    ask(1003);
    await chains.whenIdle();
    expect(chains.comparisons()[0]).toMatchObject({ different: 1000, dropped: 3 });
    ask(1002);
    await chains.whenIdle();
    expect(chains.comparisons()[0]).toMatchObject({ different: 2000, dropped: 5 });
  });

  it('watches its share of the requests, and keeps the last differences', async () => {
    const models = Array.from({ length: 300 }, () => 'm');
    const { comparison } = await watched({ preRequestHook: () => undefined }, models, 0.5);
    expect(comparison?.different).toBeGreaterThan(100);
    expect(comparison?.different).toBeLessThan(200);
    expect(comparison?.differences.length).toBe(20);
    const list = comparison === undefined ? [] : [comparison];
    expect(mergeShadowComparisons([list, list])[0]).toMatchObject({
      different: (comparison?.different ?? 0) * 2,
      differences: { length: 20 },
    });
  });
});
