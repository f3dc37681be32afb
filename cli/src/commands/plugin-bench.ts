import { containPluginFailures } from '@bifrost/framework/plugins';
import { formatDuration, formatTable, measureHooks } from '@bifrost/testkit/plugins';
import type { MeasuredHook } from '@bifrost/testkit/plugins';
import type { Command } from '../command.ts';
import { CommandFailure } from '../command-failure.ts';
import { benchSummary } from '../plugin/bench-summary.ts';
import { openCells } from '../plugin/open-cells.ts';
import { UsageError } from '../usage-error.ts';
import { configFlag, pathPositional } from './plugin-check.ts';
import { isolationFlag } from './plugin-test.ts';

const defaultCalls = 2000;

function rowOf({ hook, isolation, calls, p50Ms, p99Ms, failures }: MeasuredHook): readonly string[] {
  return [
    hook,
    isolation,
    String(calls),
    formatDuration(p50Ms),
    formatDuration(p99Ms),
    failures === 0 ? '' : `${failures} failed`,
  ];
}

export const pluginBench: Command = {
  name: 'plugin bench',
  summary: 'measures what a call of each hook costs, in each isolation',
  positionals: [pathPositional],
  flags: [
    configFlag,
    isolationFlag,
    {
      name: 'calls',
      kind: 'number',
      value: 'N',
      help: `calls of each hook in each isolation; default: ${defaultCalls}`,
    },
    { name: 'json', kind: 'switch', help: 'print the figures as JSON, in milliseconds' },
  ],
  details: [
    "Calls each hook alone, one call after the other, with a short conversation (0.4 KB), through the chains of the gateway: the host's " +
      'own work is in the times. p50 and p99 are of the time until the answer is there. In a thread or process of its own a call ' +
      'waits for the way there and back; many at once share that way.',
    'Below the table the p50 of all hooks are added up: what a request, and an event of a stream, waits for in each isolation.',
    'Measure on a machine that does nothing else.',
  ],
  examples: [
    { command: 'bifrost plugin bench hello --isolation inline', says: 'what it adds to a request, hook by hook' },
  ],
  async run(context, input) {
    const calls = input.number('calls') ?? defaultCalls;
    if (calls < 1) throw new UsageError('--calls takes a number from 1 up');
    const { cells } = await openCells(context, input);
    const release = containPluginFailures();
    const measured: MeasuredHook[] = [];
    for (const cell of cells) measured.push(...(await measureHooks(cell, calls)));
    release();
    if (measured.length === 0) throw new CommandFailure('the plugin has no hooks with this configuration');
    if (input.isSet('json')) context.print(JSON.stringify(measured, null, 2));
    else {
      for (const line of formatTable(['hook', 'isolation', 'calls', 'p50', 'p99', ''], measured.map(rowOf)))
        context.print(line);
      for (const line of ['', ...benchSummary(measured)]) context.print(line);
    }
    return measured.some(({ failures }) => failures > 0) ? 1 : 0;
  },
};
