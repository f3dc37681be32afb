const meanings: Readonly<Record<string, string>> = {
  SIGSEGV: 'crashed (SIGSEGV: it used memory that is not its own)',
  SIGBUS: 'crashed (SIGBUS)',
  SIGILL: 'crashed (SIGILL)',
  SIGFPE: 'crashed (SIGFPE)',
  SIGABRT: 'was aborted (SIGABRT)',
  SIGTRAP: 'was aborted (SIGTRAP)',
  SIGKILL: 'was ended by SIGKILL (by the system, when memory is short)',
};

/** Why a plugin's process has ended, for operators. `errorLine` is what the engine said, if it did. */
export function describeExit(code: number | null, signal: string | null, errorLine: string): string {
  if (errorLine.includes('heap out of memory')) return 'ran out of memory: its JavaScript heap was full';
  if (signal === null) return `exited with code ${code}`;
  return meanings[signal] ?? `was ended by ${signal}`;
}
