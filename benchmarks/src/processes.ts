import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process under measurement, pinned to one core, with its children. */
export interface Measured {
  readonly pid: number;
  /** Microseconds of CPU (user and system) that it and its children have used. */
  cpuMicroseconds(): number;
  /** The same of its own threads alone, as the scheduler counts them: not in steps of 10 ms. */
  threadMicroseconds(): number;
  /** Resident memory in MB, children included. */
  residentMegabytes(): number;
  stop(): Promise<void>;
}

const microsecondsPerTick = 10_000; // USER_HZ is 100 on every Linux that we know

function statusOf(pid: number): { readonly ticks: number; readonly parent: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return undefined; // the process ended between the listing and the reading
  }
}

function family(root: number): readonly number[] {
  const members = [root];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const parent = Number.isInteger(pid) ? statusOf(pid)?.parent : undefined;
    if (parent !== undefined && members.includes(parent) && !members.includes(pid)) members.push(pid);
  }
  return members;
}

/** `schedstat` says nanoseconds on a processor first. */
function scheduledMicroseconds(pid: number): number {
  const folder = `/proc/${pid}/task`;
  const nanoseconds = readdirSync(folder).map((task) => {
    try {
      return Number(readFileSync(`${folder}/${task}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      return 0; // the thread ended between the listing and the reading
    }
  });
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1000;
}

function residentKilobytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Starts a command on one core. */
export function startPinned(
  core: number,
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Measured {
  const child: ChildProcess = spawn('taskset', ['-c', String(core), ...command], {
    stdio: ['ignore', 'ignore', 'ignore'],
    env: { ...process.env, ...environment },
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`could not start ${command.join(' ')}`);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    pid,
    cpuMicroseconds: () =>
      family(pid).reduce((sum, member) => sum + (statusOf(member)?.ticks ?? 0), 0) * microsecondsPerTick,
    threadMicroseconds: () => scheduledMicroseconds(pid),
    residentMegabytes: () => family(pid).reduce((sum, member) => sum + residentKilobytes(member), 0) / 1024,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** Waits until an address answers; returns how many milliseconds that took. */
export async function untilAnswers(url: string, limitMs = 20_000): Promise<number> {
  const start = performance.now();
  while (performance.now() - start < limitMs) {
    const isUp = await new Promise<boolean>((resolve) => {
      get(url, (response) => {
        response.resume();
        resolve(true);
      }).on('error', () => resolve(false));
    });
    if (isUp) return performance.now() - start;
    await sleep(2);
  }
  throw new Error(`${url} did not answer within ${limitMs} ms`);
}

/** Runs a command on one core and returns what it printed. */
export async function runPinned(core: number, command: readonly string[]): Promise<string> {
  const child = spawn('taskset', ['-c', String(core), ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString('utf8')));
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`${command[0]} ended with code ${code}: ${output.slice(-500)}`);
  return output;
}
