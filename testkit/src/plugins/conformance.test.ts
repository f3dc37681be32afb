import { LocalSharedState } from '@bifrost/core';
import type { PluginInstance } from '@bifrost/core';
import { hookNames } from '@bifrost/sdk';
import type { Plugin } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import { testPlugin } from './conformance.ts';
import type { PluginTestReport } from './conformance.ts';
import { formatReport } from './format-report.ts';
import type { PluginCell } from './plugin-cell.ts';

/** A cell whose loads give `plugin` as it is. */
function cell(
  plugin: Plugin,
  options: { readonly isolation?: string; readonly close?: () => string | undefined } = {},
): PluginCell {
  const hooks = hookNames.filter((hook) => plugin[hook] !== undefined);
  return {
    isolation: options.isolation ?? 'inline',
    load: () => {
      const instance: PluginInstance = {
        name: plugin.name,
        config: {},
        // Checked by the type of `plugin`.
        hooks: Object.fromEntries(hooks.map((hook) => [hook, plugin[hook]])) as PluginInstance['hooks'],
        self: plugin,
        isGuard: plugin.guard ?? false,
        placement: 'post_builtin',
        order: 0,
        log: () => undefined,
        shared: new LocalSharedState(plugin.name),
      };
      return Promise.resolve({
        instance,
        hooks,
        escapes: () => [],
        close: () => Promise.resolve(options.close?.()),
      });
    },
  };
}

async function report(plugin: Plugin, ...others: readonly PluginCell[]): Promise<PluginTestReport> {
  return testPlugin({ plugin: plugin.name, cells: [cell(plugin), ...others], reloads: 1 });
}

const details = ({ cases }: PluginTestReport, status = 'failed'): string =>
  cases
    .filter((each) => each.status === status)
    .map(({ title, detail }) => `${title}: ${detail}`)
    .join('\n');

describe('the conformance kit', () => {
  it('passes a plugin that keeps the contract, and calls every hook of it', async () => {
    const seen = new Set<string>();
    const hooks = Object.fromEntries(hookNames.map((hook) => [hook, () => void seen.add(hook)]));
    const result = await report({ name: 'p', ...hooks });
    expect(details(result)).toBe('');
    expect(result.isPassed).toBe(true);
    expect([...seen].toSorted()).toEqual([...hookNames].toSorted());
    for (const hook of hookNames) expect(result.calls[hook]).toBeGreaterThan(0);
  });

  it('shows attempts, streams and failures as a gateway does', async () => {
    const attempts: (string | undefined)[] = [];
    const outcomes: string[] = [];
    await report({
      name: 'p',
      preLLMHook: (context) => void attempts.push(`${context.facts.requestId} ${context.facts.fallbackIndex}`),
      postLLMHook: {
        reads: 'messages',
        handler: (context, { error, response }) =>
          void outcomes.push(
            `${context.facts.requestId} ${error?.statusCode ?? response?.candidates[0]?.parts.length}`,
          ),
      },
    });
    expect(attempts).toContain('conformance-a-fallback-after-an-overloaded-provider 1');
    expect(outcomes).toContain('conformance-a-fallback-after-an-overloaded-provider 503');
    expect(outcomes).toContain('conformance-a-request-that-the-provider-refuses 400');
    expect(outcomes).toContain('conformance-a-stream 3');
  });

  it.each<readonly [string, Plugin, RegExp]>([
    [
      'throws on an answer without content',
      {
        name: 'p',
        postLLMHook: { reads: 'messages', handler: (_, { response }) => void response?.candidates[0]!.parts.length },
      },
      /an answer without content: postLLMHook threw: TypeError: Cannot read properties of undefined/,
    ],
    [
      'changes its input in place',
      { name: 'p', preRequestHook: (_, request) => void Object.assign(request, { model: 'other' }) },
      /changes its input in place: .* return a new value instead/,
    ],
    [
      'returns what cannot be used',
      // A plugin in JavaScript may return anything.
      { name: 'p', preRequestHook: () => ({ modle: 'x' }) as never },
      /preRequestHook returned a wrong value: .*modle/,
    ],
    [
      'does not end',
      { name: 'p', inject: { timeoutMs: 5, handler: () => new Promise<void>(() => undefined) } },
      /inject did not settle within 5 ms/,
    ],
    [
      'writes the value of another plugin',
      { name: 'p', preRequestHook: (context) => context.setValue('other/key', 1) },
      /a plugin writes only its own values/,
    ],
  ])('finds a plugin that %s', async (_, plugin, message) => {
    const result = await report(plugin);
    expect(result.isPassed).toBe(false);
    expect(details(result)).toMatch(message);
  });

  it('makes requests that fit a filter, and says which hooks were not called', async () => {
    const models: string[] = [];
    const result = await report({
      name: 'p',
      preLLMHook: {
        filter: { model: 'mock/special-*', header: 'x-team: red*', isStream: true },
        handler: (_, { model }) => void models.push(model),
      },
      streamEventHook: { filter: { provider: ['cohere'] }, handler: () => undefined },
    });
    expect(models).toContain('special-x');
    expect(result.calls.streamEventHook).toBeGreaterThan(0);
    expect(details(result, 'warned')).toBe('');
  });

  it('finds isolations that answer otherwise, and leaves out what changes with each run', async () => {
    let count = 0;
    const plugin = (name: string): Plugin => ({
      name: 'p',
      httpTransportResponseHeadersHook: () => ({ headers: { 'x-p': name } }),
      preRequestHook: () => ({ model: `m${(count += 1)}` }),
    });
    const same = await report(plugin('a'), cell(plugin('a'), { isolation: 'worker' }));
    expect(details(same)).toBe('');
    const other = await report(plugin('a'), cell(plugin('b'), { isolation: 'worker' }));
    expect(details(other)).toContain('httpTransportResponseHeadersHook: headers.x-p is "a" here and "b" there');
  });

  it('notes a plugin that mixes up requests that overlap', async () => {
    let last = '';
    const result = await report({
      name: 'p',
      preRequestHook: async (context) => {
        last = context.facts.requestId;
        await Promise.resolve();
      },
      httpTransportResponseHeadersHook: () => ({ headers: { 'x-last': last } }),
    });
    expect(details(result, 'warned')).toMatch(/requests at once .* Keep what belongs to a request in context\.state/);
  });

  it('finds a cleanup that fails, and a load that does', async () => {
    const fault = await testPlugin({
      plugin: 'p',
      cells: [
        cell({ name: 'p' }, { close: () => 'cleanup failed: busy' }),
        { isolation: 'process', load: () => Promise.reject(new Error('init failed: no')) },
      ],
      reloads: 1,
    });
    expect(details(fault)).toContain('leaves nothing behind: cleanup failed: busy');
    expect(details(fault)).toContain('is loaded: init failed: no');
  });

  it('finds work that was not awaited and fails after the answer', async () => {
    const escapes: string[] = [];
    const plugin: Plugin = { name: 'p', preLLMHook: () => void setTimeout(() => escapes.push('work failed'), 10) };
    const loads = cell(plugin);
    const late: PluginCell = { ...loads, load: async () => ({ ...(await loads.load()), escapes: () => escapes }) };
    const tested = await testPlugin({ plugin: 'p', cells: [late], reloads: 0 });
    expect(details(tested)).toContain('leaves nothing behind: work failed');
  });

  it('names the file and line of a throw, and what a hook has to ask for to be shown it', async () => {
    const thrown = new TypeError("Cannot read properties of undefined (reading 'messages')");
    thrown.stack = `TypeError: x\n    at f (file:///srv/plugin/index.ts?plugin=p&g=1:7:3)`;
    const preLLMHook = (): never => {
      throw thrown;
    };
    expect(details(await report({ name: 'p', preLLMHook }))).toContain(
      "(reading 'messages') (index.ts:7). It reads the head alone: `conversation` is shown with `reads: 'messages'`",
    );
    const asked = await report({ name: 'p', preLLMHook: { reads: 'messages', handler: preLLMHook } });
    expect(details(asked)).not.toContain('It reads the head alone');
  });

  it('tells a mistake once, however often it comes, and counts cases', async () => {
    const events = { name: 'p', streamEventHook: (_context: unknown, event: unknown) => event } as unknown as Plugin;
    const lines = formatReport(await report(events, cell(events, { isolation: 'worker' })));
    const told = lines.filter((line) => line.includes('streamEventHook returned a wrong value'));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(
      /it must be an array of events \(`\[event\]`; `\[\]` drops it\), got an object \(\d+ times\)$/,
    );
    expect(lines).toContain('        1 as told above');
    expect(lines.filter((line) => line.startsWith('  FAIL'))).toHaveLength(
      Number(/^(\d+) of/.exec(lines.at(-1) ?? '')?.[1]),
    );
  });

  it('writes a report for people', async () => {
    const lines = formatReport(await report({ name: 'p', preLLMHook: () => undefined }));
    expect(lines[0]).toBe('p, inline:');
    expect(lines).toContain('  ok    a stream from a fallback');
    expect(lines.at(-1)).toMatch(/^All \d+ passed\.$/);
    expect(lines.join('\n')).toMatch(/preLLMHook {2}inline +\d+/);
  });
});
