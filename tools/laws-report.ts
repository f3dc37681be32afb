/**
 * Puts every recording before laws 2, 3 and 4 of the architecture and prints the counts per provider.
 * Usage: node tools/laws-report.ts [--law round-trip|across-dialects|framing] [--failures [--limit N]] [--only TEXT]
 * `--failures` lists what failed, `--only` keeps recordings, dialects or failures that contain the text. Exit code 1 where one failed.
 */
import { parseArgs } from 'node:util';
import { codecOf } from '../core/src/dialects/registry.ts';
import type { Law } from '../testkit/src/index.ts';
import { countVerdicts, exceptionOf, formatCounts, judgeAll } from '../testkit/src/index.ts';

const { values } = parseArgs({
  options: {
    law: { type: 'string', multiple: true },
    failures: { type: 'boolean' },
    limit: { type: 'string' },
    only: { type: 'string' },
  },
});
const laws = (values.law ?? ['round-trip', 'across-dialects', 'framing']) as Law[];
const startedAt = performance.now();
const verdicts = laws.flatMap((law) => judgeAll(law, codecOf));
const failed = verdicts.filter((one) => one.failures.length > 0 && exceptionOf(one) === undefined);
const excepted = verdicts.filter((one) => one.failures.length > 0 && exceptionOf(one) !== undefined);

console.log(formatCounts(countVerdicts(verdicts)));
for (const one of excepted)
  console.log(`exception: ${one.recording.id} (${one.law} ${one.subject}): ${exceptionOf(one)}`);
if (values.failures === true) {
  const lines = failed
    .map((one) => {
      const trip = one.target === undefined ? '' : ` to ${one.target}`;
      return `${one.law} ${one.subject}${trip}, ${one.recording.id}\n    ${one.failures.join('\n    ')}`;
    })
    .filter((line) => values.only === undefined || line.includes(values.only));
  console.log(lines.slice(0, Number(values.limit ?? 50)).join('\n'));
}
console.log(
  `${verdicts.length} verdicts, ${failed.length} failed, ${excepted.length} exceptions, ${Math.round((performance.now() - startedAt) / 100) / 10} s`,
);
process.exitCode = failed.length > 0 ? 1 : 0;
