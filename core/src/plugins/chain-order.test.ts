import { describe, expect, it } from 'vitest';
import { chainsOf } from './__tests__/chains-of.ts';
import type { TestPlugin } from './__tests__/chains-of.ts';

function tracer(name: string, calls: string[], more: Partial<TestPlugin> = {}): TestPlugin {
  return {
    name,
    preLLMHook: () => void calls.push(`pre ${name}`),
    postLLMHook: () => void calls.push(`post ${name}`),
    ...more,
  };
}

function orderOf(plugins: (calls: string[]) => readonly TestPlugin[]): readonly string[] {
  const calls: string[] = [];
  const run = chainsOf(plugins(calls)).open();
  void run.preLLM({ model: 'm', isStream: false, fallbacks: [] });
  void run.postLLM({ request: { model: 'm', isStream: false, fallbacks: [] }, statusCode: 200, latencyMs: 1 });
  return calls;
}

describe('the order of plugins', () => {
  it('runs pre hooks forward and post hooks in reverse, ties in the order of registration', () => {
    expect(orderOf((calls) => ['a', 'b', 'c'].map((name) => tracer(name, calls)))).toEqual([
      'pre a',
      'pre b',
      'pre c',
      'post c',
      'post b',
      'post a',
    ]);
  });

  it('puts pre_builtin before builtin before post_builtin, and lower numbers first within a group', () => {
    const calls = orderOf((seen) => [
      tracer('late', seen, { order: 9 }),
      tracer('early', seen, { order: -1 }),
      tracer('built', seen, { placement: 'builtin', order: 100 }),
      tracer('first', seen, { placement: 'pre_builtin', order: 100 }),
    ]);
    expect(calls.slice(0, 4)).toEqual(['pre first', 'pre built', 'pre early', 'pre late']);
    expect(calls.slice(4)).toEqual(['post late', 'post early', 'post built', 'post first']);
  });

  it("follows a hook's own order within its group, in both directions, and not beyond the group", () => {
    const calls = orderOf((seen) => [
      tracer('group', seen, { placement: 'pre_builtin' }),
      tracer('a', seen),
      tracer('b', seen, {
        preLLMHook: { order: 'pre', handler: () => void seen.push('pre b') },
        postLLMHook: { order: 'pre', handler: () => void seen.push('post b') },
      }),
      tracer('c', seen, { postLLMHook: { order: 'post', handler: () => void seen.push('post c') } }),
    ]);
    expect(calls).toEqual(['pre group', 'pre b', 'pre a', 'pre c', 'post b', 'post a', 'post c', 'post group']);
  });

  it("reaches by a pre hook's own order: who runs behind the one that ends the pass has no post hook either", () => {
    const response = { candidates: [] };
    const calls = orderOf((seen) => [
      tracer('late', seen, { preLLMHook: { order: 'post', handler: () => void seen.push('pre late') } }),
      tracer('ends', seen, { preLLMHook: () => ({ response }) }),
    ]);
    expect(calls).toEqual(['post ends']);
  });
});
