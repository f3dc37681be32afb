/** The command was given something that it cannot take: exit code 2. The message says what, and what it would take. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** Words for a file that cannot be read. */
export function unreadable(file: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return `${file} is not there`;
  return `${file} cannot be read: ${error instanceof Error ? error.message : 'unknown reason'}`;
}
