/**
 * The conformance kit: takes a plugin through every exchange in every isolation that it can run in, and says what a gateway would
 * see. Pure functions over what the caller loads; no test runner is needed.
 */
import { createPluginChains } from '@bifrost/core';
import type { PluginChainSet } from '@bifrost/core';
import type { HookFilter, HookName, PluginFailure } from '@bifrost/sdk';
import { adviseOn } from './advise-on-failure.ts';
import { compareIsolations } from './compare-isolations.ts';
import type { Exchange } from './exchanges.ts';
import { exchangeFor, standardExchanges } from './exchanges.ts';
import { timesOf } from './hook-times.ts';
import type { HookTimes } from './hook-times.ts';
import { observeHooks } from './observe-hooks.ts';
import type { ObservedCall } from './observe-hooks.ts';
import { playExchange, playMCP } from './play-exchange.ts';
import type { PluginCell, PluginUnderTest } from './plugin-cell.ts';

/** One thing that was looked at. */
export interface TestCase {
  readonly isolation: string;
  /** What a plugin does when all is well: `answers a stream`. */
  readonly title: string;
  readonly status: 'passed' | 'failed' | 'warned';
  /** What went wrong, and what would help. */
  readonly detail?: string;
  /** How often that happened, where it was more than once. */
  readonly times?: number;
  readonly hook?: HookName;
}

/** How a plugin has done, over all isolations that it was run in. */
export interface PluginTestReport {
  readonly plugin: string;
  readonly isPassed: boolean;
  readonly cases: readonly TestCase[];
  /** Hooks that it has, with the calls that were made of each, over all isolations. */
  readonly calls: { readonly [Name in HookName]?: number };
  readonly times: readonly HookTimes[];
}

/** What is to be tested, and where it is to run. */
export interface TestPluginOptions {
  readonly plugin: string;
  readonly cells: readonly PluginCell[];
  /** Reloads in each isolation. @default 5 */
  readonly reloads?: number;
}

/** All calls of one plugin through all exchanges. */
interface CellRun {
  readonly calls: readonly ObservedCall[];
  readonly cases: readonly TestCase[];
}

/** The failures of one exchange, each once with how often it came. */
function distinctFailures(
  failures: readonly PluginFailure[],
  plugin: PluginUnderTest,
): readonly (Pick<TestCase, 'hook' | 'detail' | 'times'> & { readonly detail: string })[] {
  const times = new Map<string, { readonly hook: HookName; count: number }>();
  for (const failure of failures) {
    // The plugin can have the hooks only that it was loaded with.
    const hook = failure.hook as HookName;
    const detail = adviseOn(failure, optionOf(plugin, hook, 'reads'));
    const seen = times.get(detail);
    if (seen === undefined) times.set(detail, { hook, count: 1 });
    else seen.count += 1;
  }
  return [...times].map(([detail, { hook, count }]) => ({ hook, detail, ...(count > 1 ? { times: count } : {}) }));
}

function optionOf(plugin: PluginUnderTest, hook: HookName, option: 'filter' | 'reads'): unknown {
  const declared: unknown = plugin.instance.hooks[hook];
  const isObject = typeof declared === 'object' && declared !== null;
  return isObject ? (declared as { readonly [Name in typeof option]?: unknown })[option] : undefined;
}

function filterOf(plugin: PluginUnderTest, hook: HookName): HookFilter | undefined {
  // The loader has checked it.
  return optionOf(plugin, hook, 'filter') as HookFilter | undefined;
}

const mcpHooks = new Set<HookName>(['preMCPHook', 'postMCPHook', 'preMCPConnectionHook', 'postMCPConnectionHook']);

/** Takes one loaded plugin through everything. */
async function exercise(plugin: PluginUnderTest, isolation: string): Promise<CellRun> {
  const calls: ObservedCall[] = [];
  const cases: TestCase[] = [];
  const chains = createPluginChains([observeHooks(plugin.instance, (call) => calls.push(call))], {
    areInputsFrozen: true,
    random: () => 0,
  });
  const play = async (title: string, run: () => ReturnType<typeof playExchange>): Promise<void> => {
    try {
      const { failures } = await run();
      for (const failure of distinctFailures(failures, plugin)) {
        cases.push({ isolation, title, status: 'failed', ...failure });
      }
      if (failures.length === 0) cases.push({ isolation, title, status: 'passed' });
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      cases.push({ isolation, title, status: 'failed', detail });
    }
  };
  for (const exchange of standardExchanges()) await play(exchange.title, () => playExchange(chains, exchange));
  if (plugin.hooks.some((hook) => mcpHooks.has(hook))) await play('calls of an MCP server', () => playMCP(chains));
  await playFiltered(plugin, chains, { calls, play });
  for (const hook of plugin.hooks) {
    if (calls.some((call) => call.hook === hook)) continue;
    const filter = filterOf(plugin, hook);
    const why = filter === undefined ? 'nothing that was tried comes to it' : `its filter is ${JSON.stringify(filter)}`;
    cases.push({ isolation, title: 'is called', status: 'warned', hook, detail: `${hook} was not called: ${why}` });
  }
  return { calls, cases };
}

/** Hooks that no standard exchange matches get one of their own. */
async function playFiltered(
  plugin: PluginUnderTest,
  chains: PluginChainSet,
  seen: {
    readonly calls: readonly ObservedCall[];
    play(title: string, run: () => ReturnType<typeof playExchange>): Promise<void>;
  },
): Promise<void> {
  const filters = new Set<string>();
  for (const hook of plugin.hooks) {
    const filter = filterOf(plugin, hook);
    if (filter === undefined || seen.calls.some((call) => call.hook === hook)) continue;
    filters.add(JSON.stringify(filter));
  }
  for (const text of filters) {
    // Made from a filter just above.
    const filter = JSON.parse(text) as HookFilter;
    const tried: Exchange[] = [exchangeFor(filter)];
    if (filter.isStream === undefined) tried.push(exchangeFor({ ...filter, isStream: true }));
    for (const exchange of tried) await seen.play(exchange.title, () => playExchange(chains, exchange));
  }
}

/** Work that nobody awaits fails when the request has long been answered: so long it is waited for, the reloads included. */
const escapeWaitMs = 50;

async function lateEscape(plugin: PluginUnderTest, since: number): Promise<string | undefined> {
  const restMs = since + escapeWaitMs - performance.now();
  if (plugin.escapes().length === 0 && restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
  return plugin.escapes()[0];
}

/** Loads a new instance before the old one ends, as a reload under load does. */
async function reload(cell: PluginCell, reloads: number): Promise<readonly TestCase[]> {
  const { isolation } = cell;
  const title = `${reloads} reloads, each beside the one before it`;
  const [exchange] = standardExchanges();
  const ended: string[] = [];
  let [begun, cleaned] = [0, 0];
  let current: PluginUnderTest | undefined;
  const end = async (plugin: PluginUnderTest): Promise<void> => {
    const fault = await plugin.close();
    cleaned += 1;
    if (fault !== undefined) ended.push(fault);
    ended.push(...plugin.escapes());
  };
  try {
    for (let at = 0; at <= reloads; at += 1) {
      const next = await cell.load();
      begun += 1;
      const before = current;
      current = next;
      const chains = createPluginChains([next.instance], { areInputsFrozen: true });
      if (exchange !== undefined) await playExchange(chains, exchange);
      if (before !== undefined) await end(before);
    }
  } catch (error) {
    ended.push(`load ${begun + 1} failed: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (current !== undefined) await end(current);
  if (begun !== cleaned) ended.push(`${begun} instances were begun and ${cleaned} cleaned up`);
  const [fault] = ended;
  return [
    {
      isolation,
      title,
      status: fault === undefined ? 'passed' : 'failed',
      ...(fault === undefined ? {} : { detail: fault }),
    },
  ];
}

/** Many requests at once: what one request is told must not be another's. */
async function together(plugin: PluginUnderTest, isolation: string, alone: readonly ObservedCall[]): Promise<TestCase> {
  const title = 'requests at once do not see each other';
  const calls: ObservedCall[] = [];
  const chains = createPluginChains([observeHooks(plugin.instance, (call) => calls.push(call))], {
    areInputsFrozen: true,
    random: () => 0,
  });
  const standard = standardExchanges();
  await Promise.all(standard.map((exchange) => playExchange(chains, exchange)));
  const ids = new Set(standard.map(({ facts }) => facts.requestId));
  const [difference] = compareIsolations(
    alone.filter(({ requestId }) => ids.has(requestId)),
    calls,
  );
  if (difference === undefined) return { isolation, title, status: 'passed' };
  return {
    isolation,
    title,
    status: 'warned',
    hook: difference.hook,
    detail: `${difference.hook} answers otherwise when requests overlap: ${difference.text}. Keep what belongs to a request in context.state`,
  };
}

/** Calls whose answers two runs of the same isolation agree on: others depend on the clock, on chance or on a count. */
function repeatable(first: readonly ObservedCall[], again: readonly ObservedCall[]): (call: ObservedCall) => boolean {
  const unsteady = new Set(compareIsolations(first, again).map(({ key }) => key));
  return (call) => !unsteady.has(`${call.requestId} ${call.hook}`);
}

interface CellResult extends CellRun {
  readonly isolation: string;
  readonly isSteady: (call: ObservedCall) => boolean;
}

async function testCell(cell: PluginCell, reloads: number): Promise<CellResult> {
  const { isolation } = cell;
  let plugin: PluginUnderTest;
  try {
    plugin = await cell.load();
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const failed: TestCase = { isolation, title: 'is loaded', status: 'failed', detail };
    return { isolation, calls: [], cases: [failed], isSteady: () => true };
  }
  const cases: TestCase[] = [{ isolation, title: 'is loaded', status: 'passed' }];
  const first = await exercise(plugin, isolation);
  const again = await exercise(plugin, isolation);
  const isSteady = repeatable(first.calls, again.calls);
  cases.push(...first.cases, await together(plugin, isolation, first.calls.filter(isSteady)));
  const endedAt = performance.now();
  const cleanup = await plugin.close();
  const reloaded = await reload(cell, reloads);
  const fault = cleanup ?? (await lateEscape(plugin, endedAt));
  const title = 'leaves nothing behind';
  cases.push(
    fault === undefined
      ? { isolation, title, status: 'passed' }
      : { isolation, title, status: 'failed', detail: fault },
  );
  cases.push(...reloaded);
  return { isolation, calls: [...first.calls, ...again.calls], cases, isSteady };
}

/** What the isolations answer must be the same: the first one is the measure. */
function compareCells(results: readonly CellResult[]): readonly TestCase[] {
  const [measure, ...others] = results.filter(({ calls }) => calls.length > 0);
  if (measure === undefined) return [];
  return others.map(({ isolation, calls, isSteady }): TestCase => {
    const title = `answers as in ${measure.isolation}`;
    const both = (call: ObservedCall): boolean => isSteady(call) && measure.isSteady(call);
    const [difference] = compareIsolations(measure.calls.filter(both), calls.filter(both));
    if (difference === undefined) return { isolation, title, status: 'passed' };
    return {
      isolation,
      title,
      status: 'failed',
      hook: difference.hook,
      detail: `${difference.hook}: ${difference.text}`,
    };
  });
}

/** Tests the plugin in all its cells, one after the other. Never rejects for what the plugin does. */
export async function testPlugin({ plugin, cells, reloads = 5 }: TestPluginOptions): Promise<PluginTestReport> {
  const results: CellResult[] = [];
  for (const cell of cells) results.push(await testCell(cell, reloads));
  const cases = [...results.flatMap((result) => result.cases), ...compareCells(results)];
  const calls: { [Name in HookName]?: number } = {};
  for (const { hook } of results.flatMap((result) => result.calls)) calls[hook] = (calls[hook] ?? 0) + 1;
  return {
    plugin,
    isPassed: cases.every(({ status }) => status !== 'failed'),
    cases,
    calls,
    times: results.flatMap((result) => timesOf(result.isolation, result.calls)),
  };
}
