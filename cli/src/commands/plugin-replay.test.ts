import { createPluginChains } from '@bifrost/core';
import { CaptureRecorder, openCaptureKey } from '@bifrost/framework/recordings';
import { playExchange, standardExchanges } from '@bifrost/testkit/plugins';
import { describe, expect, it } from 'vitest';
import { Workshop } from '../__tests__/workshop.ts';
import { resolveEntry } from '../plugin/check-plugin.ts';
import { findEntry } from '../plugin/find-entry.ts';
import { cellsOf } from '../plugin/plugin-cells.ts';

const source = (word: string, more = ''): string => `
export default {
  name: 'p',
  preRequestHook(context) {
    context.state.set('seen', 1);
    context.setValue('count', (context.getValue('count') ?? 0) + 1);
  },
  preLLMHook: {
    reads: 'messages',
    handler(context, request) {
      if (context.state.get('seen') !== 1) throw new Error('no state');
      if (context.facts.fallbackIndex !== 1) return;
      return { error: { statusCode: 451, message: '${word}', origin: 'plugin' } };
    },
  },
  httpTransportPostHook: { reads: 'body', handler: () => ({ body: new TextEncoder().encode('${word}') }) },
  ${more}
};`;

/** Records what the plugin in `file` does in every standard exchange. */
async function record(workshop: Workshop, file: string): Promise<string> {
  const { entry, directory } = await findEntry(file, { directory: workshop.folder });
  const [cell] = cellsOf({ entry, directory, artefact: await resolveEntry(entry, directory) });
  if (cell === undefined) throw new Error('no cell');
  const plugin = await cell.load();
  const key = openCaptureKey(workshop.path('recordings.key'));
  const recorder = new CaptureRecorder({ plugin: entry.name, directory: workshop.folder, key });
  const chains = createPluginChains([plugin.instance], { recorder });
  for (const exchange of standardExchanges()) await playExchange(chains, exchange);
  await plugin.close();
  const { file: capture, calls, requests } = await recorder.close();
  expect(requests).toBe(standardExchanges().length);
  expect(calls).toBeGreaterThan(20);
  return capture;
}

describe('replay', () => {
  it.each(['inline', 'worker', 'process'])('finds the same answers of the same build in %s', async (isolation) => {
    using workshop = new Workshop();
    workshop.write('p.mjs', source('no'));
    const capture = await record(workshop, 'p.mjs');
    const { exitCode, out } = await workshop.run(
      'plugin',
      'replay',
      capture,
      '--against',
      'p.mjs',
      '--isolation',
      isolation,
    );
    expect(out).toMatch(/(\d+) calls of 9 requests: \1 answered as recorded, 0 otherwise/);
    expect(exitCode).toBe(0);
  });

  it('prints what another build answers otherwise, call by call', async () => {
    using workshop = new Workshop();
    workshop.write('p.mjs', source('no'));
    workshop.write('q.mjs', source('never', 'inject() {},'));
    const capture = await record(workshop, 'p.mjs');
    const { exitCode, out } = await workshop.run('plugin', 'replay', capture, '--against', 'q.mjs', '--limit', '100');
    expect(out).toMatch(/preLLMHook, call \d+ of request conformance-a-fallback-after-an-overloaded-provider/);
    expect(out).toContain('error.message\n      - "no"\n      + "never"');
    expect(out).toContain('body.$bytes');
    expect(out).toContain('note: inject has no call in the recording');
    expect(exitCode).toBe(1);
  });

  it('tells failures and hooks that are gone', async () => {
    using workshop = new Workshop();
    workshop.write('p.mjs', source('no'));
    workshop.write('q.mjs', "export default { name: 'p', preRequestHook() { throw new Error('boom'); } };");
    const capture = await record(workshop, 'p.mjs');
    const { out, exitCode } = await workshop.run('plugin', 'replay', capture, '--against', 'q.mjs', '--json');
    const { changed } = JSON.parse(out) as {
      readonly changed: readonly { readonly hook: string; readonly kind: string }[];
    };
    const kinds = new Set(changed.map(({ hook, kind }) => `${hook} ${kind}`));
    expect([...kinds].toSorted()).toEqual(['httpTransportPostHook gone', 'preLLMHook gone', 'preRequestHook fails']);
    expect(exitCode).toBe(1);
  });

  it('asks for the build, and for the key where it is not beside the file', async () => {
    using workshop = new Workshop();
    expect(await workshop.run('plugin', 'replay', 'x.bfcap')).toMatchObject({ exitCode: 2 });
    workshop.write('x.bfcap', '{}\n');
    const { err, exitCode } = await workshop.run('plugin', 'replay', 'x.bfcap', '--against', '.');
    expect(err).toContain(`${workshop.path('recordings.key')} cannot be read (ENOENT)`);
    expect(exitCode).toBe(1);
  });
});
