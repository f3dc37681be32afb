import { startReplayUpstream } from '@bifrost/testkit';
import type { ReplayAnswer } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { chainsOf } from '../plugins/__tests__/chains-of.ts';
import type { TestPlugin } from '../plugins/__tests__/chains-of.ts';
import { provider, routes, TestGateway } from './__tests__/harness.ts';

const chunk = (delta: object, reason: string | null = null) => ({
  data: JSON.stringify({ id: 'c', choices: [{ index: 0, delta, finish_reason: reason }] }),
});
const stream: ReplayAnswer = {
  events: [
    chunk({ role: 'assistant', content: 'Pa' }),
    chunk({ content: 'ris' }),
    chunk({}, 'stop'),
    { data: '[DONE]' },
  ],
};
const whole: ReplayAnswer = {
  body: { id: 'c', choices: [{ index: 0, message: { role: 'assistant', content: 'Paris' }, finish_reason: 'stop' }] },
};
const secret = 'what only the operator may read';
const renames: TestPlugin = {
  name: 'renames',
  preRequestHook: () => ({ model: 'openai/gpt-x' }),
  preLLMHook: () => {
    throw new Error(secret);
  },
};

async function ask(plugins: readonly TestPlugin[], script: ReplayAnswer, { isExplained = true, ...more }) {
  await using upstream = await startReplayUpstream({ script: [script] });
  const { chains } = chainsOf(plugins);
  await using gateway = new TestGateway({ providers: [provider('openai', upstream.url)], plugins: chains });
  const body = { model: 'openai/gpt', messages: [{ role: 'user', content: 'x' }], ...more };
  const sink = await gateway.post(routes.openai, body, isExplained ? { headers: { 'x-bf-explain': 'true' } } : {});
  return { sink, trace: gateway.traces[0] };
}

describe('an answer that is asked to explain itself', () => {
  it('says in a header what the plugins decided, and in the trace what they changed', async () => {
    const { sink, trace } = await ask([renames], whole, {});
    expect(sink.headers['x-bf-explain']).toMatch(
      /^renames\.preRequestHook=changed;us=[\d.]+, renames\.preLLMHook=failed;us=[\d.]+$/,
    );
    expect(JSON.stringify(sink.headers)).not.toContain(secret);
    expect(trace?.explanation?.calls).toMatchObject([
      { decision: 'changed', changes: [{ op: 'replace', path: '/model', value: 'openai/gpt-x' }] },
      { decision: 'failed', attempt: 0, reason: expect.stringContaining(secret) },
    ]);
  });

  it('says in a comment before the end of a stream what the hooks of its events decided', async () => {
    const shouts: TestPlugin = {
      name: 'shouts',
      streamEventHook: (_, event) =>
        event.type === 'text-delta' ? [{ ...event, text: event.text.toUpperCase() }] : undefined,
    };
    const { sink, trace } = await ask([renames, shouts], stream, { stream: true });
    expect(sink.headers['x-bf-explain']).toContain('renames.preLLMHook=failed');
    const comment = /^: bf-explain (.*)$/m.exec(sink.text)?.[1] ?? '';
    expect(JSON.parse(comment)).toMatchObject({
      leftOut: 0,
      calls: expect.arrayContaining([expect.objectContaining({ plugin: 'shouts', decision: 'changed' })]),
    });
    expect(comment).not.toContain(secret);
    expect(sink.text.indexOf(': bf-explain')).toBeLessThan(sink.text.indexOf('[DONE]'));
    expect(trace?.lane).toBe('translated');
  });

  it('does so also where nobody looks at the stream, whose bytes stay', async () => {
    const plain = await ask([renames], stream, { stream: true, isExplained: false });
    const { sink } = await ask([renames], stream, { stream: true });
    expect(sink.text).toContain(': bf-explain {');
    expect(sink.text.replace(/: bf-explain .*\n\n/, '')).toBe(plain.sink.text);
    expect(plain.sink.headers['x-bf-explain']).toBeUndefined();
  });
});
