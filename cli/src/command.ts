/** A command as data: help, parsing and completion of mistakes all read the same description. */
import type { Environment } from '@bifrost/framework/config';

/** One `--name`. A switch takes no value; a list may be given several times. */
export interface FlagSpec {
  readonly name: string;
  readonly kind: 'switch' | 'text' | 'number' | 'list';
  /** What stands for the value in the help, e.g. `FILE`. */
  readonly value?: string;
  readonly help: string;
}

export interface PositionalSpec {
  /** As it stands in the help, e.g. `PATH`. */
  readonly name: string;
  readonly help: string;
  readonly isOptional?: boolean;
}

/** What was given, checked against the description. */
export interface CommandInput {
  readonly positionals: readonly string[];
  text(flag: string): string | undefined;
  number(flag: string): number | undefined;
  list(flag: string): readonly string[];
  isSet(flag: string): boolean;
}

/** The world as a command sees it. */
export interface CommandContext {
  /** Absolute. */
  readonly directory: string;
  readonly environment: Environment;
  /** A line for standard output: what the command is for. */
  print(line: string): void;
  /** A line for standard error: what went wrong, and progress. */
  complain(line: string): void;
}

export interface Command {
  /** `plugin new`. */
  readonly name: string;
  /** Half a sentence for the list of commands. */
  readonly summary: string;
  readonly positionals: readonly PositionalSpec[];
  readonly flags: readonly FlagSpec[];
  /** What it does and does not, in paragraphs. */
  readonly details: readonly string[];
  readonly examples: readonly { readonly command: string; readonly says: string }[];
  /** Resolves with the exit code: 0 done, 1 something was found wrong. Rejects with UsageError where it was called wrongly. */
  run(context: CommandContext, input: CommandInput): Promise<number>;
}
