/**
 * Ends the process with this exit code though a thread of it does not end (it is inside a call of the system that does not return):
 * a plain exit would wait for it for ever. libc's `_exit` waits for nobody; without it a SIGKILL does the same, with the code 137.
 */
export async function endAtOnce(exitCode: number): Promise<never> {
  try {
    const { dlopen } = await import('node:ffi');
    const { functions } = dlopen(null, { _exit: { arguments: ['i32'], return: 'void' } });
    functions._exit(exitCode);
  } finally {
    process.kill(process.pid, 'SIGKILL');
  }
  throw new Error('a process that has been killed does not come here');
}
