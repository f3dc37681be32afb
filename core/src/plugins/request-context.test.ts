import { describe, expect, it } from 'vitest';
import type { HookContext, LLMRequest, ModelInfo } from '@bifrost/sdk';
import { chainsOf, trace } from './__tests__/chains-of.ts';
import { requestOf } from './request-context.ts';
import type { ContextOwner, RequestContext } from './request-context.ts';

const request: LLMRequest = { model: 'm', isStream: false, fallbacks: [] };

describe('the context of a hook', () => {
  it('keeps state per request and plugin', () => {
    const seen: unknown[] = [];
    const { open } = chainsOf(
      ['a', 'b'].map((name) => ({
        name,
        preRequestHook: (context: HookContext) => void context.state.set('who', name),
        preLLMHook: (context: HookContext) => void seen.push(context.state.get('who')),
      })),
    );
    const run = open();
    void run.preRequest(request);
    void run.preLLM(request);
    void open().preLLM(request);
    expect(seen).toEqual(['a', 'b', undefined, undefined]);
  });

  it("shares values under the plugin's name, and refuses other plugins' and the gateway's names", () => {
    const seen: unknown[] = [];
    const { open, lines } = chainsOf([
      {
        name: 'a',
        preRequestHook(context) {
          context.setValue('team', 'red');
          context.setValue('a/size', 2);
        },
      },
      { name: 'b', preRequestHook: (context) => void seen.push(context.getValue('a/team'), context.getValue('team')) },
      { name: 'thief', preRequestHook: (context) => context.setValue('a/team', 'stolen') },
      { name: 'usurper', preRequestHook: (context) => context.setValue('core/request-id', 'x') },
      {
        name: 'c',
        preRequestHook: (context) => void seen.push(context.getValue('a/team'), context.getValue('a/size')),
      },
    ]);
    void open().preRequest(request);
    expect(seen).toEqual(['red', undefined, 'red', 2]);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('a plugin writes only its own values');
  });

  it('shows facts as they become known, and lets nobody change them', () => {
    const seen: unknown[] = [];
    const { open, lines } = chainsOf(
      [
        {
          name: 'a',
          preLLMHook(context) {
            seen.push(context.facts.provider);
            (context.facts as { requestId: string }).requestId = 'forged';
          },
        },
      ],
      { areInputsFrozen: false },
    );
    const run = open();
    run.update({ provider: 'mock', model: 'm' });
    void run.preLLM(request);
    expect(seen).toEqual(['mock']);
    expect(lines[0]).toContain('read only');
  });

  it('writes log lines with the plugin and the request, at the level that was asked for', () => {
    const levels = ['debug', 'info', 'warn', 'error'] as const;
    const { open, lines } = chainsOf([
      {
        name: 'a',
        preRequestHook: (context) => {
          for (const level of levels) context.log[level]('look', { plugin: 'b' });
        },
      },
    ]);
    void open().preRequest(request);
    expect(lines).toEqual(levels.map((level) => `${level} a look`));
  });

  it('bounds what a plugin puts on the trace; what is there may still change', () => {
    const { open } = chainsOf([
      {
        name: 'a',
        preRequestHook: (context) => {
          for (let index = 0; index < 200; index += 1) context.setTraceAttribute(`n${index}`, index);
          context.setTraceAttribute('n0', 'last');
        },
      },
    ]);
    const run = open();
    void run.preRequest(request);
    const { attributes = {} } = run.complete?.(trace) ?? {};
    expect(Object.keys(attributes)).toHaveLength(128);
    expect(attributes['a/n0']).toBe('last');
  });

  it('knows the model of the request, or of what it is asked for; nothing while it is not settled', () => {
    const seen: unknown[] = [];
    const info = (provider: string, model: string): ModelInfo => ({ provider, model });
    const { open } = chainsOf([
      {
        name: 'a',
        getModelInfo: info,
        preLLMHook: (context) => void seen.push(context.getModelInfo(), context.getModelInfo('p', 'other')),
      },
    ]);
    const run = open();
    void run.preLLM(request);
    run.update({ provider: 'mock', model: 'm' });
    void run.preLLM(request);
    const other = { provider: 'p', model: 'other' };
    expect(seen).toEqual([undefined, other, { provider: 'mock', model: 'm' }, other]);
  });

  it("aborts the signal when the client goes, but not inject's", async () => {
    const client = new AbortController();
    const seen: boolean[] = [];
    let done: (() => void) | undefined;
    const injected = new Promise<void>((resolve) => {
      done = resolve;
    });
    const run = chainsOf([
      {
        name: 'a',
        preRequestHook(context) {
          context.signal.addEventListener('abort', () => seen.push(true));
          context.state.set('kept', 1);
        },
        inject(context) {
          seen.push(context.signal.aborted, context.state.has('kept'));
          done?.();
        },
      },
    ]).open({}, {}, client.signal);
    void run.preRequest(request);
    client.abort();
    run.finish({
      facts: { requestId: 'r', requestType: 'x', method: 'POST', path: '/', isStream: false },
      statusCode: 499,
      startedAt: 0,
      latencyMs: 1,
      attempts: [],
      lane: 'none',
    });
    await injected;
    expect(seen).toEqual([true, false, true]);
  });

  it('freezes inputs to their depth in development', () => {
    const { open, lines } = chainsOf([
      {
        name: 'a',
        preLLMHook: {
          reads: 'messages',
          handler(_context, shown) {
            (shown.conversation?.messages as unknown[] | undefined)?.push('more');
          },
        },
      },
    ]);
    void open().preLLM({ ...request, conversation: { model: 'm', stream: false, messages: [] } });
    expect(lines[0]).toContain('hook inputs are read-only: return a new value');
  });
});

describe('the end of a request', () => {
  it('is told once, after `inject`, to the plugins that took part', async () => {
    const events: string[] = [];
    let own: ContextOwner | undefined;
    const { open, chains } = chainsOf([
      {
        name: 'a',
        preRequestHook: (context) => void (own = requestOf(context as RequestContext)),
        inject: async () => {
          await Promise.resolve();
          events.push('inject');
        },
        onRequestEnd: (request) => void events.push(request === own ? 'end' : 'another request'),
      },
      { name: 'b', preLLMHook: () => undefined, onRequestEnd: () => void events.push('b was not called') },
    ]);
    const run = open();
    void run.preRequest(request);
    expect(events).toEqual([]);
    run.finish(trace);
    await chains.whenIdle();
    expect(events).toEqual(['inject', 'end']);
  });
});
