import { describe, expect, it } from 'vitest';
import type { PluginFigures } from '@bifrost/core';
import { CallSuspects } from './call-suspects.ts';

/** Figures of a plugin whose two hooks have been called so often. */
function figuresOf(plugin: string, pre: number, post: number): PluginFigures {
  return { plugin, hooks: { preLLMHook: { calls: pre }, postLLMHook: { calls: post } } } as unknown as PluginFigures;
}

describe('who may have done it', () => {
  it('is each plugin that was called since the last look, and no other', () => {
    const suspects = new CallSuspects();
    expect([...suspects.next([figuresOf('a', 1, 0), figuresOf('b', 0, 0), figuresOf('c', 2, 2)])]).toEqual(['a', 'c']);
    expect([...suspects.next([figuresOf('a', 1, 0), figuresOf('b', 0, 1), figuresOf('c', 2, 3)])]).toEqual(['b', 'c']);
    expect([...suspects.next([figuresOf('a', 1, 0), figuresOf('b', 0, 1), figuresOf('c', 2, 3)])]).toEqual([]);
  });

  it('is told by the sum of its hooks and of its generations: one more there is no call less here', () => {
    const suspects = new CallSuspects();
    suspects.next([figuresOf('a', 3, 1), figuresOf('a', 1, 1)]);
    expect([...suspects.next([figuresOf('a', 4, 2), figuresOf('a', 1, 1)])]).toEqual(['a']);
    expect([...suspects.next([figuresOf('a', 4, 2), figuresOf('a', 1, 2)])]).toEqual(['a']);
  });
});
