/** The command was called rightly and could not do it: exit code 1. The message says why, and what would help. */
export class CommandFailure extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CommandFailure';
  }
}
