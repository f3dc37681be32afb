/** The program `bifrost`: where arguments and environment enter, and where the process ends. */
import { writeSync } from 'node:fs';
import { processEnvironment } from '@bifrost/framework/workbench';
import { runCli } from './run-cli.ts';

const exitCode = await runCli(process.argv.slice(2), {
  directory: process.cwd(),
  environment: processEnvironment(),
  print: (line) => void writeSync(1, `${line}\n`),
  complain: (line) => void writeSync(2, `${line}\n`),
});
// A plugin that was loaded may have left a timer or a connection behind.
process.exit(exitCode);
