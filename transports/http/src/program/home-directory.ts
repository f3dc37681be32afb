import { homedir } from 'node:os';

/** The user's home; undefined where there is none: in an empty container neither HOME nor a list of users is set. */
export function homeDirectory(): string | undefined {
  try {
    return homedir();
  } catch {
    // A system error that says just that.
    return undefined;
  }
}
