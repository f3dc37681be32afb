import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { JsonObject } from '@bifrost/sdk';
import { endWithChildren } from '../__tests__/end-with-children.ts';

const main = resolve(import.meta.dirname, '../main.ts');

/** A gateway in a process of its own, as an operator would run it. */
export interface GatewayProcess extends AsyncDisposable {
  /** Base URL without a trailing slash. */
  readonly url: string;
  readonly pid: number;
  /** Everything it printed so far. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with its exit code. */
  readonly exited: Promise<number | null>;
}

/** Starts the program with a configuration on a free port and waits until it serves. Rejects with its output if it ends first. */
export async function startGatewayProcess(config: JsonObject, flags: readonly string[] = []): Promise<GatewayProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'bifrost-e2e-'));
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify(config));
  const child = spawn(process.execPath, [main, '-config', file, '-app-dir', folder, '-port', '0', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const exited = new Promise<number | null>((done) => child.once('exit', done));
  const url = await new Promise<string>((done, fail) => {
    const read = (text: Buffer): void => {
      output += text.toString('utf8');
      const match = /ready on (http:\/\/[^\s"]+)/.exec(output);
      if (match?.[1] !== undefined) done(match[1].replace('localhost', '127.0.0.1'));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => fail(new Error(`the gateway ended with code ${code}:\n${output}`)));
  });
  return {
    url,
    pid: child.pid ?? 0,
    output: () => output,
    kill: (signal) => child.kill(signal),
    exited,
    async [Symbol.asyncDispose]() {
      if (child.pid !== undefined && child.exitCode === null) endWithChildren(child.pid);
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
