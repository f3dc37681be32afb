import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { packaging } from './packaging.ts';
import { entryUrl } from './realm-entry.ts';
import type { RealmEntry } from './realm-entry.ts';

export interface ChildOptions {
  /** Flags of Node, e.g. `--permission`. Only such as NODE_OPTIONS may hold: the executable takes no others. */
  readonly nodeFlags?: readonly string[];
  /** Arguments: `process.argv.slice(2)` of the entry. */
  readonly args?: readonly string[];
  /** The child's whole environment. @default empty */
  readonly environment?: Readonly<Record<string, string>>;
  /** As of `spawn`; with `'ipc'` in it the child has `process.send`. */
  readonly stdio?: StdioOptions;
  readonly workingDirectory?: string;
  /** Makes the child the leader of a process group and session of its own: a signal to the terminal does not reach it. */
  readonly isOwnGroup?: boolean;
  /** How IPC messages are written. @default 'json' */
  readonly serialization?: 'json' | 'advanced';
}

/** Marks the argument by which the executable learns that it is to run an entry and not the gateway (read in boot.cjs). */
const realmArgument = '--bifrost-realm=';

/** One flag as it has to stand in NODE_OPTIONS. */
export function quoteNodeFlag(flag: string): string {
  return /[\s"\\]/.test(flag) ? `"${flag.replaceAll(/["\\]/g, String.raw`\$&`)}"` : flag;
}

/** What follows the executable's name so that it runs `entry`. */
export function childArguments(entry: RealmEntry, { nodeFlags = [], args = [] }: ChildOptions): readonly string[] {
  const flags = ['--disable-warning=ExperimentalWarning', ...nodeFlags];
  if (packaging !== 'executable') return [...flags, fileURLToPath(entryUrl(entry)), ...args];
  return [`--node-options=${flags.map(quoteNodeFlag).join(' ')}`, `${realmArgument}${entry.name}`, ...args];
}

/**
 * `ignore` is a file, /dev/null, which an empty container may not have: there a pipe that nobody uses takes its place. `isNullThere`
 * is for tests.
 */
export function withoutNullDevice(
  stdio: StdioOptions,
  isNullThere: boolean = process.platform === 'win32' || existsSync('/dev/null'),
): StdioOptions {
  if (isNullThere) return stdio;
  if (stdio === 'ignore') return 'pipe';
  return typeof stdio === 'string' ? stdio : stdio.map((one) => (one === 'ignore' ? 'pipe' : one));
}

/** Ends and empties the pipes that stand for /dev/null. */
function closeUnused(child: ChildProcess, asked: StdioOptions): void {
  const isIgnored = (index: number): boolean => (typeof asked === 'string' ? asked : asked[index]) === 'ignore';
  if (isIgnored(0)) child.stdin?.end();
  if (isIgnored(1)) child.stdout?.resume();
  if (isIgnored(2)) child.stderr?.resume();
}

/**
 * Starts a process on one of our entries, whatever the packaging. Its environment is empty unless one is given. Flags that do
 * not arrive are not reported by Node: an entry that relies on one must look (`process.permission`).
 */
export function startChild(entry: RealmEntry, options: ChildOptions = {}): ChildProcess {
  const stdio = options.stdio ?? 'pipe';
  const child = spawn(process.execPath, childArguments(entry, options), {
    env: { ...options.environment },
    stdio: withoutNullDevice(stdio),
    detached: options.isOwnGroup ?? false,
    ...(options.workingDirectory === undefined ? {} : { cwd: options.workingDirectory }),
    ...(options.serialization === undefined ? {} : { serialization: options.serialization }),
  });
  closeUnused(child, stdio);
  return child;
}
