/**
 * Puts every recording before laws 2, 3 and 4 of the architecture and prints the counts per provider.
 * Usage: node tools/laws-report.ts [--law round-trip|across-dialects|framing] [--summary | --failures] [--only TEXT] [--limit N]
 * `--summary` groups what failed by its kind, `--failures` lists it; `--only` keeps what contains the text. Exit code 1 where one failed.
 */
import { parseArgs } from 'node:util';
import { codecOf } from '../core/src/dialects/registry.ts';
import type { Law, Verdict } from '../testkit/src/index.ts';
import { countVerdicts, exceptionOf, formatCounts, judgeAll } from '../testkit/src/index.ts';

const { values } = parseArgs({
  options: {
    law: { type: 'string', multiple: true },
    summary: { type: 'boolean' },
    failures: { type: 'boolean' },
    limit: { type: 'string' },
    only: { type: 'string' },
  },
});

const tripOf = (one: Verdict): string => `${one.law} ${one.recording.api} ${one.subject} ${one.target ?? ''}`.trim();

function listFailures(failed: readonly Verdict[]): readonly string[] {
  return failed.map((one) => `${tripOf(one)}, ${one.recording.id}\n    ${one.failures.join('\n    ')}`);
}

/** Failures that differ in numbers and values only are one kind; the first of each is shown. */
function summarise(failed: readonly Verdict[]): readonly string[] {
  const kinds = new Map<string, { count: number; readonly example: string }>();
  for (const one of failed) {
    for (const failure of one.failures) {
      const key = `${tripOf(one)} ${failure.replaceAll(/"[^"]*"|[a-z0-9_]*[_\d][a-z0-9_]*/gi, '_').slice(0, 36)}`;
      const kind = kinds.get(key) ?? { count: 0, example: `${tripOf(one)}: ${failure}\n      ${one.recording.id}` };
      kind.count += 1;
      kinds.set(key, kind);
    }
  }
  return [...kinds.values()]
    .toSorted((left, right) => right.count - left.count)
    .map(({ count, example }) => `${count}x ${example}`);
}

const laws = (values.law ?? ['round-trip', 'across-dialects', 'framing']) as Law[];
const startedAt = performance.now();
const verdicts = laws.flatMap((law) => judgeAll(law, codecOf));
const failed = verdicts.filter((one) => one.failures.length > 0 && exceptionOf(one) === undefined);
const excepted = verdicts.filter((one) => one.failures.length > 0 && exceptionOf(one) !== undefined);
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);

console.log(formatCounts(countVerdicts(verdicts)));
for (const one of excepted) console.log(`exception: ${one.recording.id} (${tripOf(one)}): ${exceptionOf(one)}`);
const lines = values.summary === true ? summarise(failed) : values.failures === true ? listFailures(failed) : [];
const wanted = lines.filter((line) => values.only === undefined || line.includes(values.only));
for (const line of wanted.slice(0, Number(values.limit ?? 200))) console.log(line);
console.log(`${verdicts.length} verdicts, ${failed.length} failed, ${excepted.length} exceptions, ${seconds} s`);
process.exitCode = failed.length > 0 ? 1 : 0;
