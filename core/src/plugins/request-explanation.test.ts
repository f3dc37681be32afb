import type { LLMRequest, RequestFacts, StreamEvent } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import { chainsOf, streamed, trace } from './__tests__/chains-of.ts';
import type { TestPlugin } from './__tests__/chains-of.ts';
import type { RecordedCall } from './call-recorder.ts';

const request: LLMRequest = { model: 'm', isStream: false, fallbacks: [] };
const asked = { 'x-bf-explain': 'true' };
const broken = (): never => {
  throw new Error('broken');
};

function explained(plugins: readonly TestPlugin[]) {
  const made = chainsOf(plugins);
  return { ...made, run: made.open({}, asked) };
}

describe('the explanation of a request', () => {
  it('says of every hook what it decided, what it changed, in which attempt, and how long it took', async () => {
    const { run } = explained([
      { name: 'looks', preRequestHook: () => undefined, preLLMHook: async () => undefined },
      { name: 'changes', preRequestHook: () => ({ model: 'other' }) },
      { name: 'same', preRequestHook: () => ({ model: 'other' }) },
      { name: 'fails', preRequestHook: broken },
      { name: 'elsewhere', preRequestHook: { filter: { model: 'x*' }, handler: () => undefined } },
      { name: 'answers', preLLMHook: () => ({ response: { candidates: [] } }) },
      { name: 'never', preLLMHook: () => undefined },
    ]);
    void run.preRequest(request);
    run.update({ provider: 'p', model: 'm' });
    await run.preLLM(request);
    const explanation = run.complete?.(trace).explanation;
    const common = { calls: 1, timeUs: expect.any(Number) };
    expect(explanation).toEqual({
      leftOut: 0,
      calls: [
        { plugin: 'looks', hook: 'preRequestHook', decision: 'unchanged', ...common },
        {
          plugin: 'changes',
          hook: 'preRequestHook',
          decision: 'changed',
          changes: [{ op: 'replace', path: '/model', value: 'other' }],
          ...common,
        },
        { plugin: 'same', hook: 'preRequestHook', decision: 'unchanged', ...common },
        { plugin: 'fails', hook: 'preRequestHook', decision: 'failed', reason: 'threw: Error: broken', ...common },
        { plugin: 'elsewhere', hook: 'preRequestHook', decision: 'skipped', reason: 'filter', ...common },
        { plugin: 'looks', hook: 'preLLMHook', attempt: 0, decision: 'unchanged', ...common },
        {
          plugin: 'answers',
          hook: 'preLLMHook',
          attempt: 0,
          decision: 'response',
          changes: [{ op: 'add', path: '/response', value: { candidates: [] } }],
          ...common,
        },
      ],
    });
    expect(structuredClone(explanation)).toEqual(explanation);
  });

  it('names denials, open breakers and disabled plugins', () => {
    const { run, open } = explained([
      { name: 'off', breaker: { failures: 1 }, preRequestHook: broken },
      { name: 'guard', guard: true, preRequestHook: broken },
    ]);
    void run.preRequest(request);
    const again = open({}, asked);
    void again.preRequest(request);
    const decisions = [run, again].map((one) =>
      one.complete?.(trace).explanation?.calls.map(({ plugin, decision, reason }) => [plugin, decision, reason]),
    );
    expect(decisions).toEqual([
      [
        ['off', 'failed', 'threw: Error: broken'],
        ['guard', 'denied', 'threw: Error: broken'],
      ],
      [
        ['off', 'skipped', 'breaker'],
        ['guard', 'denied', 'threw: Error: broken'],
      ],
    ]);
  });

  it('counts the events of a stream that nobody changed, and shows those that somebody did', () => {
    const { run } = explained([
      {
        name: 'p',
        streamEventHook: (_, event) =>
          event.type === 'text-delta' && event.text === 'bad' ? [{ ...event, text: 'good' }] : undefined,
      },
    ]);
    const push = streamed(run);
    for (const text of ['a', 'b', 'bad', 'c']) {
      const event: StreamEvent = { type: 'text-delta', part: '0', text };
      void push(event);
    }
    expect(run.complete?.(trace).explanation?.calls).toMatchObject([
      { decision: 'unchanged', calls: 2 },
      { decision: 'changed', calls: 1, changes: [{ op: 'replace', path: '/0/text', value: 'good' }] },
      { decision: 'unchanged', calls: 1 },
    ]);
  });

  it('is bounded, and short where a client reads it: no reasons, no changes', () => {
    const { run } = explained([{ name: 'p', preRequestHook: (_, shown) => ({ model: `${shown.model}x` }) }]);
    for (let index = 0; index < 250; index += 1) void run.preRequest(request);
    const explanation = run.complete?.(trace).explanation;
    expect([explanation?.calls.length, explanation?.leftOut]).toEqual([200, 50]);
    const summary = run.explanation?.summary() ?? '';
    const [, shown = '', more] = /^(p\.preRequestHook=changed;us=[\d.]+, .*), and (\d+) more$/.exec(summary) ?? [];
    expect(shown.split(', ').length + Number(more)).toBe(250);
    expect(run.explanation?.summary().length).toBeLessThan(1600);
    expect(run.explanation?.comment()).not.toMatch(/\n|mx/);
  });

  it('is not made for who did not ask', () => {
    const { open } = chainsOf([{ name: 'p', preRequestHook: () => undefined }]);
    const run = open({}, { 'x-bf-explain': 'false' });
    void run.preRequest(request);
    expect(run.explanation).toBeNull();
    expect(run.complete?.(trace)).toBe(trace);
  });
});

describe('a recorder', () => {
  it('is handed input, output and values of every call of the requests that it wants', async () => {
    const calls: RecordedCall[] = [];
    const recorder = {
      wants: (asking: RequestFacts) => asking.requestId === 'wanted',
      record: (call: RecordedCall) => void calls.push(call),
    };
    const { open } = chainsOf(
      [
        {
          name: 'a',
          preRequestHook(context, shown) {
            context.setValue('seen', shown.model);
            context.state.set('step', 1);
            return { model: 'new' };
          },
          preLLMHook: async () => ({ stream: [] }),
        },
        { name: 'b', preRequestHook: broken },
      ],
      { recorder },
    );
    for (const requestId of ['other', 'wanted']) {
      const run = open({ requestId });
      void run.preRequest(request);
      await run.preLLM(request);
    }
    expect(calls).toMatchObject([
      {
        facts: { requestId: 'wanted' },
        plugin: 'a',
        hook: 'preRequestHook',
        index: 0,
        input: request,
        output: { model: 'new' },
        values: {},
        state: {},
      },
      { plugin: 'b', index: 1, failure: { kind: 'threw' }, values: { 'a/seen': 'm' } },
      { plugin: 'a', hook: 'preLLMHook', index: 2, isStream: true, state: { step: 1 } },
    ]);
    expect(structuredClone(calls)).toEqual(calls);
  });

  it('hears of a request that is explained as well, and both hear of all of it', () => {
    const calls: RecordedCall[] = [];
    const recorder = { wants: () => true, record: (call: RecordedCall) => void calls.push(call) };
    const { open } = chainsOf([{ name: 'a', preRequestHook: () => ({ model: 'new' }) }], { recorder });
    const run = open({}, asked);
    void run.preRequest(request);
    expect(calls).toMatchObject([{ plugin: 'a', output: { model: 'new' } }]);
    expect(run.complete?.(trace).explanation?.calls).toMatchObject([{ plugin: 'a', decision: 'changed' }]);
  });
});
