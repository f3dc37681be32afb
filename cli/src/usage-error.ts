/** The command was given something that it cannot take: exit code 2. The message says what, and what it would take. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}
