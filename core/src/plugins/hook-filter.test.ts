import { describe, expect, it } from 'vitest';
import type { HookFilter, LLMRequest } from '@bifrost/sdk';
import { chainsOf, facts } from './__tests__/chains-of.ts';
import { compileFilter } from './hook-filter.ts';

const request: LLMRequest = { provider: 'mock', model: 'gpt-4o', isStream: false, fallbacks: [] };
const signal = new AbortController().signal;
const filtered = (filter: HookFilter, options = {}) =>
  chainsOf(
    [
      {
        name: 'a',
        preLLMHook: { filter, handler: () => ({ error: { statusCode: 400, message: 'seen', origin: 'plugin' } }) },
      },
    ],
    options,
  );

describe('a filter on what a request has from its start', () => {
  it.each<[HookFilter, boolean]>([
    [{ path: '/v1/chat/*' }, true],
    [{ path: ['/openai/*', '/v1/*/completions'] }, true],
    [{ path: '/v1/chat' }, false],
    [{ path: '/v1.chat*' }, false],
    [{ isStream: false }, true],
    [{ isStream: true }, false],
    [{ header: 'X-Team' }, true],
    [{ header: 'x-other' }, false],
    [{ header: 'x-team: red*' }, true],
    [{ header: 'x-team: blue' }, false],
    [{ header: 'x-team: red*', path: '/nope' }, false],
  ])('%j opens a run: %s', (filter, isOpened) => {
    const run = filtered(filter).chains.open(facts, { 'x-team': 'red-1' }, signal);
    expect(run !== null).toBe(isOpened);
  });

  it('looks at every value of a repeated header', () => {
    const run = filtered({ header: 'x-team: red' }).chains.open(facts, { 'x-team': ['blue', 'red'] }, signal);
    expect(run).not.toBeNull();
  });

  it('draws once for a request', () => {
    let draws = 0;
    const random = (): number => ((draws += 1), 0.4);
    expect(filtered({ sampling: 0.5 }, { random }).chains.open(facts, {}, signal)).not.toBeNull();
    expect(filtered({ sampling: 0.4 }, { random }).chains.open(facts, {}, signal)).toBeNull();
    expect(draws).toBe(2);
  });

  it('leaves out only the hooks that do not match', () => {
    const calls: string[] = [];
    const { open } = chainsOf([
      { name: 'a', preLLMHook: { filter: { isStream: true }, handler: () => void calls.push('a') } },
      { name: 'b', preLLMHook: () => void calls.push('b') },
    ]);
    void open().preLLM(request);
    void open({ isStream: true }).preLLM(request);
    expect(calls).toEqual(['b', 'a', 'b']);
  });
});

describe('what a request needs to have decoded', () => {
  it('counts only hooks whose filters match it', () => {
    const { chains, open } = chainsOf([
      {
        name: 'a',
        preLLMHook: { reads: 'messages', filter: { header: 'x-team' }, handler: () => undefined },
        postLLMHook: { filter: { header: 'x-team' }, handler: () => undefined },
      },
      { name: 'b', preLLMHook: () => undefined, httpTransportPreHook: { reads: 'body', handler: () => undefined } },
    ]);
    expect(chains.needs).toEqual({ httpPre: 'body', preLLM: 'messages', postLLM: 'head' });
    expect(open().needs).toEqual({ httpPre: 'body', preLLM: 'head' });
    expect(open({}, { 'x-team': 'red' }).needs).toBe(chains.needs);
  });
});

describe('a filter on provider and model', () => {
  it.each<[HookFilter, boolean]>([
    [{ model: 'gpt-*' }, true],
    [{ model: 'mock/gpt-*' }, true],
    [{ model: ['claude-*', '*-4o'] }, true],
    [{ model: 'gpt' }, false],
    [{ provider: 'mock' }, true],
    [{ provider: 'other', model: '*' }, false],
  ])('%j matches mock/gpt-4o: %s', (filter, isCalled) => {
    expect(filtered(filter).open().preLLM(request) !== undefined).toBe(isCalled);
  });

  it('follows each attempt, and the facts where the value does not say it', () => {
    const calls: unknown[] = [];
    const run = chainsOf([
      {
        name: 'a',
        httpTransportResponseHeadersHook: {
          filter: { provider: 'mock' },
          handler: (context) => void calls.push(context.facts.provider),
        },
      },
    ]).open();
    void run.responseHeaders({ statusCode: 200, headers: {} });
    run.update({ provider: 'other' });
    void run.responseHeaders({ statusCode: 200, headers: {} });
    run.update({ provider: 'mock' });
    void run.responseHeaders({ statusCode: 200, headers: {} });
    expect(calls).toEqual(['mock']);
  });

  it('does not confuse two texts that it remembers', () => {
    const test = compileFilter({ model: 'a*' }).target;
    expect(['ab', 'b', 'ab', 'b'].map((model) => test?.({ model }))).toEqual([true, false, true, false]);
  });
});
