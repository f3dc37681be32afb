import { describe, expect, it } from 'vitest';
import type { HookFilter, LLMRequest } from '@bifrost/sdk';
import { chainsOf, facts } from './__tests__/chains-of.ts';

const signal = new AbortController().signal;
const request: LLMRequest = { provider: 'mock', model: 'm', isStream: false, fallbacks: [] };

/** Plugins a, b, ... with these filters, and who of them is called. */
function watched(filters: readonly (HookFilter | undefined)[]) {
  const calls: string[] = [];
  const plugins = filters.map((filter, index) => {
    const name = String.fromCharCode(97 + index);
    const handler = (): undefined => void calls.push(name);
    return { name, preLLMHook: filter === undefined ? handler : { filter, handler } };
  });
  const { chains } = chainsOf(plugins);
  const called = (path: string, isStream = false, headers = {}): string => {
    calls.length = 0;
    void chains.open({ ...facts, path, isStream }, headers, signal)?.preLLM(request);
    return calls.join('');
  };
  const leftOut = (): readonly (number | undefined)[] =>
    chains.figures().map(({ hooks }) => hooks.preLLMHook?.skipped.filter);
  return { called, leftOut };
}

describe('the plans of requests of one path', () => {
  it('are told apart by path and by stream, whatever was asked before', () => {
    const { called } = watched([{ path: '/v1/*' }, { isStream: true }, { path: '/v2/*', isStream: false }, undefined]);
    for (let turn = 0; turn < 2; turn += 1) {
      expect(called('/v1/chat')).toBe('ad');
      expect(called('/v1/chat', true)).toBe('abd');
      expect(called('/v2/chat', true)).toBe('bd');
      expect(called('/v2/chat')).toBe('cd');
      expect(called('/elsewhere')).toBe('d');
    }
  });

  it('still look at the headers of each request', () => {
    const { called } = watched([{ path: '/v1/*', header: 'x-team: red' }, { header: 'x-team' }]);
    expect(called('/v1/chat', false, { 'x-team': 'red' })).toBe('ab');
    expect(called('/v1/chat', false, { 'x-team': 'blue' })).toBe('b');
    expect(called('/v2/chat', false, { 'x-team': 'red' })).toBe('b');
    expect(called('/v2/chat')).toBe('');
  });

  it('count each request that a hook was left out of', () => {
    const { called, leftOut } = watched([{ path: '/v1/*' }, { path: '/v1/*', header: 'x-team' }, undefined]);
    for (const path of ['/v1/a', '/v2/a', '/v2/b', '/v2/a']) called(path);
    expect(leftOut()).toEqual([3, 4, 0]);
    called('/v2/a');
    expect(leftOut()).toEqual([4, 5, 0]);
    expect(leftOut()).toEqual([4, 5, 0]);
  });

  it('stay right, and are counted, where clients make up more paths and kinds than are remembered', () => {
    const filters = Array.from({ length: 10 }, (_, bit): HookFilter => ({ path: `*-${bit}-*` }));
    const { called, leftOut } = watched(filters);
    const left = filters.map(() => 0);
    for (let number = 0; number < 1024; number += 1) {
      const bits = filters.map((_, bit) => (number >> bit) & 1);
      const path = `/-${bits.flatMap((isSet, bit) => (isSet === 1 ? [`-${bit}-`] : [])).join('')}`;
      expect(called(path)).toBe(bits.map((isSet, bit) => (isSet === 1 ? String.fromCharCode(97 + bit) : '')).join(''));
      for (const [bit, isSet] of bits.entries()) left[bit] = (left[bit] ?? 0) + 1 - isSet;
    }
    expect(leftOut()).toEqual(left);
  });
});
