/**
 * What one call of a plugin's hook costs in each cell of artefact and isolation: the whole call as a serving thread makes it, beside the
 * least that the cell's mechanism takes on this machine (a bare call, a bare echo with the same values), in turns. The plugin does nothing, so
 * that what is seen is the way. Prints a Markdown table, and with --report writes it to results/plugin-cost.md.
 *
 * Usage: node benchmarks/src/plugin-cost.ts [--only TEXT] [--calls 5000] [--rounds 20] [--in-flight 64] [--report]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { measureCell } from './plugin-cost/measure-cell.ts';
import type { HookCost } from './plugin-cost/measure-cell.ts';
import { openCell } from './plugin-cost/open-cell.ts';
import type { MeasuredCell } from './plugin-cost/open-cell.ts';
import { missingTool } from './plugin-cost/trivial-plugins.ts';
import { measureUnmatched } from './plugin-cost/unmatched.ts';

const { values } = parseArgs({
  options: {
    /** A part of a cell's name. */
    only: { type: 'string', default: '' },
    calls: { type: 'string', default: '5000' },
    rounds: { type: 'string', default: '20' },
    'in-flight': { type: 'string', default: '64' },
    report: { type: 'boolean', default: false },
  },
});
const [calls, rounds, inFlight] = [values.calls, values.rounds, values['in-flight']].map(Number) as [
  number,
  number,
  number,
];

const cells: readonly MeasuredCell[] = [
  ...(['module', 'wasm', 'native-c', 'node-api'] as const).flatMap((language) =>
    (['inline', 'worker', 'process'] as const).map((isolation) => ({ language, isolation })),
  ),
  // What differs from C in `worker` and `process` is the language's own inline.
  ...(['wasm-assemblyscript', 'wasm-bifrost-abi', 'native-rust', 'native-go'] as const).map(
    (language) => ({ language, isolation: 'inline' }) as const,
  ),
  { language: 'grpc-typescript', isolation: 'grpc' },
  { language: 'grpc-python', isolation: 'grpc' },
];

const us = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

const titles = [
  'cell',
  'call',
  'p50',
  'p99',
  'bare p50',
  'bare p99',
  'p50 / bare',
  'p50 - bare',
  'p50 to reach',
  `CPU, ${inFlight} under way`,
  'bare CPU',
];

/** What the call may take: the measured floors are those of the machine that the figure was set on. */
function budgetOf({ language, isolation }: MeasuredCell): string {
  if (language.startsWith('grpc')) return '150';
  if (isolation === 'worker') return '65 where bare is 53';
  if (isolation === 'process') return '85 where bare is 55 to 72';
  return language === 'module' || language === 'node-api' ? '0.5 more than bare' : '4';
}

const line = (parts: readonly string[]): string => `| ${parts.join(' | ')} |`;

function format(cell: MeasuredCell, { hook, host, floor }: HookCost): string {
  const { language, isolation } = cell;
  return line([
    language.startsWith('grpc') ? language : `${language}, ${isolation}`,
    hook.title,
    ...[host.p50, host.p99, floor.p50, floor.p99].map(us),
    (host.p50 / floor.p50).toFixed(2),
    us(host.p50 - floor.p50),
    budgetOf(cell),
    ...[host.cpu, floor.cpu].map(us),
  ]);
}

const folder = resolve(import.meta.dirname, '../../tmp/plugin-cost');
mkdirSync(folder, { recursive: true });
const rows = [line(titles), line(titles.map(() => '---'))];
for (const row of rows) console.log(row);
for (const cell of cells) {
  if (!`${cell.language}-${cell.isolation}`.includes(values.only)) continue;
  const missing = missingTool(cell.language);
  if (missing !== undefined) {
    rows.push(line([cell.language, `not measured: ${missing}`, ...titles.slice(2).map(() => '')]));
    console.log(rows.at(-1));
    continue;
  }
  const open = await openCell(cell, folder);
  const options = { calls, rounds, inFlight, isInline: cell.isolation === 'inline' };
  for (const cost of await measureCell(open, options)) {
    rows.push(format(cell, cost));
    console.log(rows.at(-1));
  }
  await open.close();
}
const unmatched = ['| a plugin with nothing to do | ns |', '| --- | --- |', ...measureUnmatched().map(line)];
console.log(`\n${unmatched.join('\n')}`);
const [load = 0] = loadavg();
const text = `# What a call of a plugin costs

Written by \`node benchmarks/src/plugin-cost.ts --report\`. Microseconds, on ${availableParallelism()} cores; the load average at the end was ${load.toFixed(1)}. The plugin does
nothing: one hook is shown 0.4 KB and answers nothing, one is shown the head of an answer and sets a header. \`p50\` and \`p99\`: one call
after the other, from the gateway's chain to the plugin and back (${calls} calls in ${rounds} rounds). \`bare\`: the least that the mechanism takes with
the same values, in the same rounds, in turns: inline a function called, an export or a symbol called with JSON both ways; an echo over a
message port (\`worker\`), a socket pair (\`process\`) or an open stream of gRPC to a server in the same language. Both of an inline cell's p50 are means
of 16 calls, as the clock would be half of what one shows. CPU is that of the gateway's process for each call while ${inFlight} are under way: in a
thread both sides, in a process ours alone.

${rows.join('\n')}

What a plugin adds that is not called (ten of them beside none, CPU time, medians of rounds in turns):

${unmatched.join('\n')}
`;
if (values.report) writeFileSync(join(import.meta.dirname, '../results/plugin-cost.md'), text);
process.exit(0);
