import { startReplayUpstream } from '@bifrost/testkit';
import type { ReplayAnswer } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { chainsOf } from '../plugins/__tests__/chains-of.ts';
import type { TestPlugin } from '../plugins/__tests__/chains-of.ts';
import type { FakeSink } from './__tests__/fake-sink.ts';
import { provider, routes, TestGateway } from './__tests__/harness.ts';

const waitMs = 300;
const answer = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
};
const late: ReplayAnswer = { body: answer, delivery: { delayBeforeHeadersMs: waitMs } };
const refusal: ReplayAnswer = { status: 503, delivery: { delayBeforeHeadersMs: 100 } };
const ask = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
const pause = (ms: number) => new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), ms));

type Parts = Readonly<Record<string, number>>;

/** Reads a header by the grammar of the standard; throws where it has another. */
function partsOf(sink: FakeSink): Parts {
  const header = String(sink.headers['server-timing']);
  return Object.fromEntries(
    header.split(', ').map((metric) => {
      const match = /^([!#$%&'*+.^`|~\w-]+);dur=(\d+(?:\.\d+)?)$/.exec(metric);
      if (match === null) throw new Error(`${metric} is no metric`);
      return [match[1], Number(match[2])];
    }),
  );
}

const sumOf = (parts: Parts) =>
  Object.entries(parts).reduce((sum, [name, value]) => (name === 'total' ? sum : sum + value), 0);

/** What the parts of an answer are, and the time that it took by the client's clock. */
async function timed(post: () => Promise<FakeSink>): Promise<{ parts: Parts; tookMs: number; sink: FakeSink }> {
  const startedAt = performance.now();
  const sink = await post();
  return { sink, tookMs: performance.now() - startedAt, parts: partsOf(sink) };
}

/** What the standard of this header is for: by the client's own clock nothing is missing and nothing counted twice. */
function expectWhole(parts: Parts, tookMs: number): void {
  expect(sumOf(parts)).toBeGreaterThan(tookMs * 0.95);
  expect(sumOf(parts)).toBeLessThan(tookMs * 1.05);
  expect(parts['total']).toBeGreaterThan(tookMs * 0.95);
  expect(parts['total']).toBeLessThan(tookMs * 1.05);
}

/** A part that has waited for `ms`, on a machine that may be busy. */
function expectAbout(actual: number | undefined, ms: number): void {
  expect(actual).toBeGreaterThan(ms * 0.97);
  expect(actual).toBeLessThan(ms + 400);
}

interface Setting {
  readonly network?: NonNullable<Parameters<typeof provider>[2]>['network'];
  readonly plugin?: TestPlugin;
  readonly route?: Parameters<TestGateway['post']>[0];
  readonly body?: object;
}

/** A busy machine may keep the client itself waiting: of up to three tries the first that it did not. */
async function settled<T extends { readonly parts: Parts; readonly tookMs: number }>(
  tryOnce: () => Promise<T>,
): Promise<T> {
  const isWhole = ({ parts, tookMs }: T): boolean => Math.abs(sumOf(parts) / tookMs - 1) < 0.05;
  let tried = await tryOnce();
  for (let tries = 1; tries < 3 && !isWhole(tried); tries += 1) tried = await tryOnce();
  return tried;
}

function run(script: ReplayAnswer[], setting: Setting = {}) {
  return settled(() => runOnce(script, setting));
}

async function runOnce(script: ReplayAnswer[], { network = {}, plugin, route = routes.openai, body = ask }: Setting) {
  await using upstream = await startReplayUpstream({ script });
  const plugins = plugin === undefined ? {} : { plugins: chainsOf([plugin]).chains };
  await using gateway = new TestGateway({
    providers: [provider('openai', upstream.url, { network }), provider('groq', upstream.url)],
    ...plugins,
  });
  return await timed(() => gateway.post(route, body));
}

describe('Server-Timing of an answer that is known whole', () => {
  it('has parts that add up to what the client waited, most of it the provider', async () => {
    const { parts, tookMs } = await run([late]);
    expectWhole(parts, tookMs);
    expectAbout(parts['upstream'], waitMs);
    expect(Object.keys(parts)).toEqual(['upstream', 'gateway', 'total']);
    expect(parts['gateway']).toBeLessThan(300);
  });

  it('puts failed attempts and the pauses behind them into a part of their own', async () => {
    const network = { maxRetries: 1, retryBackoffInitialMs: 100, retryBackoffMaxMs: 100 };
    const { parts, tookMs, sink } = await run([refusal, late], { network });
    expect(sink.statusCode).toBe(200);
    expectWhole(parts, tookMs);
    // The pause has a jitter of a fifth.
    expectAbout(parts['retry'], 180);
    expectAbout(parts['upstream'], waitMs);
  });

  it('does so with a provider that a fallback replaced', async () => {
    const { parts, tookMs, sink } = await run([refusal, late], { body: { ...ask, fallbacks: ['groq/m'] } });
    expect(sink.headers['x-bf-provider']).toBe('groq');
    expectWhole(parts, tookMs);
    expectAbout(parts['retry'], 100);
    expectAbout(parts['upstream'], waitMs);
  });

  it('names what plugins took, before and behind the provider', async () => {
    const plugin: TestPlugin = {
      name: 'slow',
      preLLMHook: () => pause(50),
      postLLMHook: () => pause(50),
      httpTransportPostHook: () => pause(50),
      httpTransportResponseHeadersHook: () => pause(50),
    };
    const { parts, tookMs } = await run([late], { plugin });
    expectWhole(parts, tookMs);
    expectAbout(parts['plugins'], 200);
    expectAbout(parts['upstream'], waitMs);
    expect(parts['gateway']).toBeLessThan(300);
  });

  it('counts a plugin within a failed attempt once', async () => {
    const plugin: TestPlugin = { name: 'slow', preLLMHook: () => pause(50) };
    const network = { maxRetries: 1, retryBackoffInitialMs: 1, retryBackoffMaxMs: 1 };
    const { parts, tookMs } = await run([refusal, late], { network, plugin });
    expectWhole(parts, tookMs);
    expectAbout(parts['plugins'], 50);
    expectAbout(parts['retry'], 150);
  });

  it('holds for a translated answer and for an error', async () => {
    const translated = await run([late], {
      route: routes.anthropic,
      body: { ...ask, model: 'openai/m', max_tokens: 9 },
    });
    expect(translated.sink.headers['x-bf-lane']).toBe('translated');
    expectWhole(translated.parts, translated.tookMs);
    const failed = await run([{ status: 400, delivery: { delayBeforeHeadersMs: waitMs } }]);
    expect(failed.sink.statusCode).toBe(400);
    expectWhole(failed.parts, failed.tookMs);
    expectAbout(failed.parts['upstream'], waitMs);
  });

  it('names the wait for a place in the queue of a provider', async () => {
    const second = await settled(async () => {
      await using upstream = await startReplayUpstream({ script: [{ ...late, times: 2 }] });
      await using gateway = new TestGateway({ providers: [provider('openai', upstream.url, { concurrency: 1 })] });
      const post = () => timed(() => gateway.post(routes.openai, ask));
      const [first, waiting] = await Promise.all([post(), post()]);
      expect(first.parts).not.toHaveProperty('queue');
      return waiting;
    });
    expectAbout(second.parts['queue'], waitMs);
    expectAbout(second.parts['upstream'], waitMs);
    expectWhole(second.parts, second.tookMs);
  });
});

describe('Server-Timing otherwise', () => {
  const event = (content: string) => ({
    data: JSON.stringify({ id: 'c', choices: [{ index: 0, delta: { content }, finish_reason: null }] }),
  });

  it('reaches to the first content of a stream', async () => {
    const events = [event('a'), event('b'), { data: '[DONE]' }];
    const delivery = { cut: 'events', delayBeforeBodyMs: waitMs, delayBetweenWritesMs: 100 } as const;
    const { parts, tookMs } = await runOnce([{ events, delivery }], { body: { ...ask, stream: true } });
    expectAbout(parts['upstream'], waitMs);
    expectWhole(parts, parts['total'] as number);
    expect(tookMs - (parts['total'] as number)).toBeGreaterThan(150);
  });

  it('of a provider goes under another name', async () => {
    const headers = { 'server-timing': 'cfRequestDuration;dur=7' };
    const { sink } = await runOnce([{ body: answer, headers }], {});
    expect(sink.headers['x-bf-upstream-server-timing']).toBe('cfRequestDuration;dur=7');
    expect(sink.headers['server-timing']).not.toContain('cfRequestDuration');
  });

  it("of a plugin takes the gateway's place", async () => {
    const plugin: TestPlugin = {
      name: 'own',
      httpTransportPostHook: () => ({ headers: { 'Server-Timing': 'mine;dur=1' } }),
    };
    await using upstream = await startReplayUpstream({ script: [{ body: answer }] });
    const { chains } = chainsOf([plugin]);
    await using gateway = new TestGateway({ providers: [provider('openai', upstream.url)], plugins: chains });
    expect((await gateway.post(routes.openai, ask)).headers['server-timing']).toBe('mine;dur=1');
  });
});
