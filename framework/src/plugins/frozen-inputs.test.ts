import { expect, it } from 'vitest';
import { entry, hostIn, pluginFolder } from './__tests__/plugin-folder.ts';
import type { PluginEntry } from './plugin-entry.ts';
import { remotePlugin, request } from './remote/__tests__/remote-fixture.ts';

const changesInPlace = `export default { name: 'p', preRequestHook(c, shown) { shown.model = 'changed'; } };`;
const facts = { requestId: 'r', requestType: 'chat_completion', method: 'POST', path: '/', isStream: false };

/** What is logged, and what becomes of the input, as in a gateway that serves: its inputs are not frozen of themselves. */
async function inlineWith(rest: Partial<PluginEntry>): Promise<{ readonly model: string; readonly lines: string }> {
  using folder = pluginFolder({ 'p.mjs': changesInPlace });
  const { host, lines } = hostIn(folder.path, { areInputsFrozen: false });
  const generation = await host.load([entry('p', './p.mjs', rest)]);
  const input = { model: 'as sent', isStream: false, fallbacks: [] };
  const run = generation.chains?.open(facts, {}, new AbortController().signal);
  void run?.preRequest(input);
  run?.finish({ facts, statusCode: 200, startedAt: 0, latencyMs: 1, attempts: [], lane: 'none' });
  return { model: input.model, lines: lines.filter((line) => line.includes('preRequestHook')).join('\n') };
}

const advice = 'hook inputs are read-only: return a new value instead of changing the input';

it('a plugin that is watched while it is written is told that it changes its input in place', async () => {
  const { model, lines } = await inlineWith({ watch: true });
  expect(model).toBe('as sent');
  expect(lines).toContain(advice);
  expect((await inlineWith({})).lines).toBe('');
});

it('it is told so in a thread of its own too', async () => {
  const options = { entry: { watch: true }, start: { areInputsFrozen: undefined } as object };
  await using fixture = await remotePlugin('worker', changesInPlace, options);
  await fixture.open().preRequest(request);
  expect(fixture.lines.join('\n')).toContain(advice);
});
