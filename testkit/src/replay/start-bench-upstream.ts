import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A bench upstream in a process of its own. */
export interface BenchUpstreamProcess extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  readonly url: string;
}

export interface BenchUpstreamOptions {
  /** @default 0, an ephemeral port */
  readonly port?: number;
  /** Put before the command, e.g. `['taskset', '-c', '1']` to pin it to a core. */
  readonly prefix?: readonly string[];
}

/** Starts the bench upstream as its own process and waits until it listens. Disposing ends it. */
export async function startBenchUpstream(options: BenchUpstreamOptions = {}): Promise<BenchUpstreamProcess> {
  const script = join(import.meta.dirname, 'bench-upstream.ts');
  const command = [...(options.prefix ?? []), process.execPath, script, '--port', String(options.port ?? 0)];
  const child = spawn(command[0] as string, command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([
    once(lines, 'line'),
    exited.then(([code]) => {
      throw new Error(`the bench upstream ended with code ${code} before it listened`);
    }),
  ])) as [string];
  const { port, pid } = JSON.parse(line) as { port: number; pid: number };
  return {
    port,
    pid,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
