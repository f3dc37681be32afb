import { packaging } from './packaging.ts';

/** Executable and arguments that start this program again as it was started, whatever the packaging. */
export function programCommand(): readonly [file: string, ...args: string[]] {
  const [, script = '', ...args] = process.argv;
  // The executable brings its flags and its script itself; its second argument is only its own name once more.
  if (packaging === 'executable') return [process.execPath, ...args];
  return [process.execPath, ...process.execArgv, script, ...args];
}
