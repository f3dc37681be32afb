import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endWithChildren } from './end-with-children.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

/** The program as a process of its own, for tests. */
export class Program {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly exited: Promise<number>;
  #listeners: (() => void)[] = [];

  /** `nodeFlags` are Node's own, for all its threads. */
  constructor(
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    nodeFlags: readonly string[] = [],
  ) {
    const inherited = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };
    this.child = spawn(process.execPath, [...nodeFlags, main, ...args], { env: { ...inherited, ...environment } });
    this.child.stdout?.on('data', (chunk: Buffer) => this.#add('stdout', chunk));
    this.child.stderr?.on('data', (chunk: Buffer) => this.#add('stderr', chunk));
    this.exited = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        resolve(code ?? (signal === 'SIGKILL' ? 137 : 1));
        this.#wake();
      });
    });
  }

  #add(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    this[stream] += chunk.toString();
    this.#wake();
  }

  #wake(): void {
    for (const listener of this.#listeners.splice(0)) listener();
  }

  /** Resolves when the pattern is in the output; rejects when the program ends without. */
  async until(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this[stream]);
      if (match !== null) return match;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`the program ended without ${String(pattern)}: ${this.stdout}${this.stderr}`);
      }
      await new Promise<void>((resolve) => this.#listeners.push(resolve));
    }
  }

  /** The base URL, once it serves. */
  async ready(): Promise<string> {
    const match = await this.until('stdout', /is ready on (http:\/\/\S+) \(.*\)\n.*\n/);
    return match[1] ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.pid !== undefined && this.child.exitCode === null) endWithChildren(this.child.pid);
    await this.exited;
  }
}
