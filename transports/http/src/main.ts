#!/usr/bin/env node
/** The program `bifrost-http`: the one place where arguments and environment enter and where the process is ended. */
import { writeSync } from 'node:fs';
import { entryUrl } from '@bifrost/framework/realms';
import { useCompileCache } from './program/compile-cache.ts';
import { isWorkshopCall, workshop } from './program/workshop.ts';

useCompileCache();
// It ends the process by itself.
if (isWorkshopCall(process.argv.slice(2), process.argv0)) await import(entryUrl(workshop));
const { runProgram } = await import('./program/run-program.ts');
const exitCode = await runProgram({
  args: process.argv.slice(2),
  environment: process.env,
  isTerminal: process.stderr.isTTY === true,
  print: (text) => void writeSync(1, text),
  complain: (text) => void writeSync(2, text),
});
process.exit(exitCode);
