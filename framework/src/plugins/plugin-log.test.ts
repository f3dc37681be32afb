import { expect, it } from 'vitest';
import { entry, hostIn, pluginFolder } from './__tests__/plugin-folder.ts';

it('a line of a plugin in a serving thread is cut as one of a plugin elsewhere is', async () => {
  using folder = pluginFolder({
    'p.mjs': `export default { name: 'p', init(c) { c.log.info('x'.repeat(1e6)); }, preRequestHook(c) { c.log.warn('y'.repeat(1e6)); } };`,
  });
  const { host, lines } = hostIn(folder.path);
  const generation = await host.load([entry('p', 'p.mjs')]);
  const facts = { requestId: 'r', requestType: 'chat_completion', method: 'POST', path: '/', isStream: false } as const;
  const run = generation.chains?.open(facts, {}, new AbortController().signal);
  await run?.preRequest({ model: 'm', isStream: false, fallbacks: [] });
  expect(lines).toContain(`info ${'x'.repeat(8192)}...`);
  expect(lines).toContain(`warn ${'y'.repeat(8192)}...`);
  run?.finish({ facts, statusCode: 200, startedAt: 0, latencyMs: 1, attempts: [], lane: 'none' });
  await generation.retire();
});
