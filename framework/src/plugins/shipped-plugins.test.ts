import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ConversationRequest } from '@bifrost/sdk';
import { entry, hostIn } from './__tests__/plugin-folder.ts';

const root = resolve(import.meta.dirname, '../../..');
const facts = { requestId: 'r', requestType: 'chat_completion', method: 'POST', path: '/', isStream: true };
const conversation: ConversationRequest = {
  model: 'm',
  stream: true,
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'hi' }] }],
};

async function load(path: string, config = {}) {
  const { host, lines } = hostIn(root);
  const generation = await host.load([entry('p', path, { config })]);
  const { chains } = generation;
  const run = chains?.open(facts, {}, new AbortController().signal);
  if (chains === null || run === null || run === undefined) throw new Error(lines.join('\n'));
  return { lines, needs: chains.needs, run, generation };
}

describe('the hello-world example', () => {
  it('reads nothing but heads, so that a request keeps its bytes', async () => {
    const { needs } = await load('examples/plugins/hello-world');
    expect(needs).toEqual({ httpPre: 'head', preRequest: 'head', responseHeaders: 'head' });
  });

  it('counts stream chunks where its config asks for it', async () => {
    const { needs, run, lines, generation } = await load('examples/plugins/hello-world', { countChunks: true });
    expect(needs).toMatchObject({ streamChunk: 'body', inject: 'head' });
    const chunk = { data: 'x', index: 0 };
    expect([run.streamChunk(chunk), run.streamChunk(chunk)]).toEqual([chunk, chunk]);
    run.finish({ facts, statusCode: 200, startedAt: 0, latencyMs: 1, attempts: [], lane: 'identical' });
    await generation.retire();
    expect(lines).toContain('info The answer is out.');
  });

  it('says what is wrong with its config', async () => {
    await expect(load('examples/plugins/hello-world', { greeting: 7 })).rejects.toThrow(
      'its config is wrong: config.greeting: expected a string, got number',
    );
  });
});

describe("the benchmarks' plugins", () => {
  it('read what their names say', async () => {
    expect((await load('benchmarks/plugins/reads-head.ts')).needs).toEqual({
      preRequest: 'head',
      responseHeaders: 'head',
    });
    const reader = await load('benchmarks/plugins/reads-messages.ts');
    expect(reader.needs).toEqual({ preLLM: 'messages' });
    const request = { model: 'm', isStream: true, fallbacks: [], conversation };
    expect(reader.run.preLLM(request)).toBeUndefined();
    const changer = await load('benchmarks/plugins/changes-messages.ts');
    expect(await changer.run.preLLM(request)).toMatchObject({
      conversation: { messages: [{ role: 'system' }, conversation.messages[0]] },
    });
  });
});
