import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exampleDirectory, startProgram, TestSession } from './__tests__/grpc-session.ts';

const python = '/usr/bin/python3';

const examples = [
  { name: 'grpc-typescript', command: process.execPath, args: ['plugin.ts'], isThere: true, word: '[grpc] ' },
  { name: 'grpc-python', command: python, args: ['plugin.py'], isThere: existsSync(python), word: '[python] ' },
] as const;

const conversation = (text: string): object => ({
  model: 'm',
  stream: true,
  messages: [{ role: 'user', parts: [{ type: 'text', text }] }],
});

describe.each(examples.filter(({ isThere }) => isThere))('the example $name', ({ name, command, args, word }) => {
  const start = (): ReturnType<typeof startProgram> =>
    startProgram(
      { command, args, directory: exampleDirectory(name) },
      { config: { refuse: 'forbidden', stamp: 'hi' } },
    );

  it('says what it is', async () => {
    await using started = await start();
    expect(started.plugin.description).toMatchObject({
      actualName: name,
      version: '1.0.0',
      isGuard: true,
      hooks: { preLLMHook: { reads: 'messages' }, streamEventHook: {} },
    });
    const { configViews = [] } = started.plugin.description;
    expect(configViews).toEqual(name === 'grpc-python' ? ['redactConfig'] : []);
    for (const view of configViews) {
      expect(await started.plugin.viewConfig?.(view, { refuse: 'word' })).toEqual({ refuse: '<hidden>' });
    }
    expect(started.plugin.memoryBytes()).toBeGreaterThan(5_000_000);
  });

  it('changes, refuses and keeps state by request', async () => {
    await using started = await start();
    using session = await TestSession.of(started.plugin);
    const request = { model: 'm', isStream: true, fallbacks: [] };
    expect(await session.call('preLLMHook', { ...request, conversation: conversation('all is well') })).toMatchObject({
      kind: 'reply',
    });
    expect(
      await session.call('preLLMHook', { ...request, conversation: conversation('forbidden things') }, 9),
    ).toMatchObject({
      value: { error: { statusCode: 400, message: 'Requests about "forbidden" are refused.' } },
    });
    const delta = { type: 'text-delta', part: '0', text: 'Hi' };
    expect(await session.call('streamEventHook', delta)).toMatchObject({ value: [{ ...delta, text: `${word}Hi` }] });
    const second = await session.call('streamEventHook', delta);
    expect(second).not.toHaveProperty('value');
    expect(await session.call('streamEventHook', delta, 2)).toMatchObject({ value: [{ text: `${word}Hi` }] });
  });

  it('answers many calls of several sessions at once', async () => {
    await using started = await start();
    using first = await TestSession.of(started.plugin);
    using second = await TestSession.of(started.plugin);
    const calls = Array.from({ length: 200 }, (_, index) =>
      (index % 2 === 0 ? first : second).call(
        'httpTransportResponseHeadersHook',
        { statusCode: 200, headers: {} },
        index,
      ),
    );
    const replies = await Promise.all(calls);
    expect(replies.every((reply) => reply.kind === 'reply' && reply.value !== undefined)).toBe(true);
  });
});
