import type * as Ffi from 'node:ffi';

/** node:ffi is used on purpose; Node's warning that it is experimental would be noise in the log. */
export async function importFfiQuietly(): Promise<typeof Ffi> {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    return await import('node:ffi');
  } finally {
    process.emitWarning = emitWarning;
  }
}
