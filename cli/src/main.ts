#!/usr/bin/env node
/** The program `bifrost`: where arguments and environment enter, and where the process ends. */
import { writeSync } from 'node:fs';
import { processEnvironment } from '@bifrost/framework/workbench';
import { calledAs, inWordsOf } from './called-as.ts';
import { runCli } from './run-cli.ts';

/** Whoever reads may have had enough: `bifrost plugin test hello | head`. */
function write(descriptor: 1 | 2, line: string): void {
  try {
    writeSync(descriptor, `${line}\n`);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error;
  }
}

const name = calledAs(process.argv0, process.argv[1] ?? '');
const exitCode = await runCli(process.argv.slice(2), {
  directory: process.cwd(),
  environment: processEnvironment(),
  print: (line) => write(1, inWordsOf(name, line)),
  complain: (line) => write(2, inWordsOf(name, line)),
});
// A plugin that was loaded may have left a timer or a connection behind.
process.exit(exitCode);
