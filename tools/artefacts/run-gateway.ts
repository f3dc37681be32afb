import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A gateway started from an artefact. */
export interface RunningGateway extends AsyncDisposable {
  readonly url: string;
  readonly child: ChildProcess;
  /** What it says it took, in milliseconds. */
  readonly readyMs: number;
  output(): string;
  /** Resolves when the output matches; rejects when the process ends without, or says that it did not hand over. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with its exit code; null after a signal. */
  readonly exited: Promise<number | null>;
}

export interface RunOptions {
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs a command that starts the gateway, `command[0]` with the rest as arguments, and waits until it serves on a free port. */
export async function runGateway(command: readonly string[], options: RunOptions = {}): Promise<RunningGateway> {
  const [file = '', ...first] = command;
  const args = [...first, '-port', '0', '-threads', '1', ...(options.args ?? [])];
  const child = spawn(file, args, { env: options.environment ?? {}, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let output = '';
  const wakeUps = new Set<() => void>();
  const read = (chunk: Buffer): void => {
    output += chunk.toString();
    for (const wakeUp of wakeUps) wakeUp();
  };
  let ended: Error | undefined;
  const end = (reason: Error): void => {
    ended = reason;
    for (const wakeUp of wakeUps) wakeUp();
  };
  child.once('error', end);
  child.once('close', (code) => end(new Error(`the gateway ended with code ${code}:\n${output}`)));
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  const until = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(output);
        if (match !== null) resolve(match);
        else if (ended !== undefined) reject(ended);
        else if (output.includes('not handed over')) reject(new Error(output));
        else return;
        wakeUps.delete(look);
      };
      wakeUps.add(look);
      look();
    });
  const match = await until(/ready on (http:\/\/\S+) \(1 thread, (\d+) ms\)/);
  return {
    url: (match[1] ?? '').replace('localhost', '127.0.0.1'),
    child,
    readyMs: Number(match[2]),
    output: () => output,
    until,
    exited,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Asks for a completion of the embedded provider; returns status, headers and body. */
export async function complete(url: string, init: RequestInit = {}): Promise<{ response: Response; text: string }> {
  const body = JSON.stringify({ model: 'mock/hello', messages: [{ role: 'user', content: 'Hello' }] });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body, ...init });
  return { response, text: await response.text() };
}

function statusMb(pid: number, name: string): number {
  const match = new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1]) / 1024;
}

/** Resident memory of a process in MB. */
export const residentMb = (pid: number): number => statusMb(pid, 'VmRSS');

/** The part of it that is the process's own, not pages of files, in MB. */
export const ownMb = (pid: number): number => statusMb(pid, 'RssAnon');
