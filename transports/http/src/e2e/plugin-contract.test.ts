/** One plugin in every cell of artefact and isolation, in the running program: the same requests, the same answers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hookNames } from '@bifrost/sdk';
import { contractCases, contractMessage, judgeContractAnswer, missingContractTool } from '@bifrost/testkit/contract';
import type { ContractAnswer } from '@bifrost/testkit/contract';
import { cellEntry, cellName, pluginCells } from './plugin-cells.ts';
import { PluginGateway } from './plugin-gateway.ts';

let gateway: PluginGateway;
/** Hooks that were seen to work, by cell. */
const seen = new Map<string, Set<string>>();

beforeAll(async () => {
  gateway = await PluginGateway.start({ threads: 1 });
}, 60_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  console.info(coverage());
});

/** Cells by hooks, for the reader of the run. MCP hooks are not reached over HTTP: the host's own tests run them. */
function coverage(): string {
  const names = [...seen.keys()];
  const rows = hookNames.map((hook) => {
    const marks = names.map((cell) => (seen.get(cell)?.has(hook) === true ? 'yes' : '-').padEnd(cell.length));
    return `| ${hook.padEnd(32)} | ${marks.join(' | ')} |`;
  });
  return ['', `| ${'hook'.padEnd(32)} | ${names.join(' | ')} |`, ...rows].join('\n');
}

async function ask(
  isStream: boolean,
  headers: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<ContractAnswer> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({
      model: 'mock/contract',
      stream: isStream,
      messages: [{ role: 'user', content: contractMessage }],
    }),
    ...(signal === undefined ? {} : { signal }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const runnable = pluginCells.filter(({ language }) => missingContractTool(language) === undefined);
const others = pluginCells.filter((cell) => !runnable.includes(cell));

it.skipIf(others.length === 0).each(others)('$language in $isolation is left out', ({ language }) => {
  console.info(missingContractTool(language));
});

describe.each(runnable)('$language in $isolation', ({ language, isolation }) => {
  const cell = `${language} ${isolation}`;
  const name = cellName({ language, isolation });
  beforeAll(async () => {
    const shown = await gateway.add({ ...cellEntry({ language, isolation }), config: { stamp: 's1' } });
    expect(shown).toMatchObject({ status: { status: 'active' }, isolation });
    seen.set(cell, new Set());
  }, 60_000);
  afterAll(() => gateway.remove(name));

  it.each(contractCases.filter(({ needs }) => needs === undefined || isolation !== 'grpc'))('$name', async (one) => {
    const errors = (): Promise<number> =>
      gateway.metric(
        'bifrost_plugin_hook_errors_total',
        new RegExp(`plugin="${name}"`),
        new RegExp(`hook="${one.failed}"`),
      );
    const [before, printed] = [one.failed === undefined ? 0 : await errors(), gateway.output.length];
    const deed = one.deed === undefined ? {} : { 'x-contract': one.deed };
    const answer = await ask(one.isStream === true, { ...deed, ...one.headers });
    expect(judgeContractAnswer(one, answer, 's1')).toEqual([]);
    const { logged, failed } = one;
    if (logged !== undefined) await expect.poll(() => gateway.output.slice(printed)).toContain(logged);
    if (failed !== undefined) expect(await errors()).toBeGreaterThan(before);
    for (const hook of one.hooks) seen.get(cell)?.add(hook);
  });

  it('says itself what of its config is shown and stored', async () => {
    await gateway.change(name, { config: { stamp: 's1', note: 'open sesame' } });
    expect((await gateway.plugin(name)).config).toEqual({ stamp: 's1', note: 'shown by the plugin' });
    const stored = readFileSync(join(gateway.folder, 'plugins.json'), 'utf8');
    expect(stored).toContain('"note": "stored by the plugin"');
    expect(stored + gateway.output).not.toContain('sesame');
  });

  it('a reload takes the new configuration; a wrong one changes nothing; each instance is begun and ended once', async () => {
    await gateway.change(name, { config: { stamp: 's2' } });
    expect((await ask(false, {})).headers.get('x-stamp')).toBe('s2');
    await expect(gateway.change(name, { config: { stamp: 7 } })).rejects.toThrow('config.stamp');
    expect((await ask(true, {})).text).toContain('[s2]');
    await gateway.change(name, { config: { stamp: 's1' } });
    expect((await ask(false, {})).headers.get('x-stamp')).toBe('s1');
    // The one that serves is not ended: one thread has one instance in every isolation.
    await expect.poll(() => gateway.instances(name)).toMatchObject({ live: 1 });
  });

  it.skipIf(isolation === 'inline')(
    'a hook that never returns is left at its deadline',
    { timeout: 30_000 },
    async () => {
      await gateway.change(name, { timeout_ms: 500 });
      const startedAt = performance.now();
      const answer = await ask(false, { 'x-contract': 'hang' });
      expect([answer.status, answer.text.includes('You said')]).toEqual([200, true]);
      expect(performance.now() - startedAt).toBeLessThan(5000);
      // It is ended and started again; requests go on without it meanwhile.
      expect((await ask(false, {})).status).toBe(200);
      // A program is asked for its health every 5 s, and ended after three checks that failed: its own tests wait for that.
      if (isolation === 'grpc') return;
      await expect.poll(async () => (await ask(false, {})).headers.get('x-stamp'), { timeout: 15_000 }).toBe('s1');
      expect((await gateway.plugin(name)).status.status).toBe('active');
    },
  );
});
