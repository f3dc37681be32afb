/**
 * Prints the tables of size, start and memory in BUILD.md, measured here and now: `node tools/artefacts/measure-main.ts`. It
 * builds what is not built yet; the forms are started in turns, so that all see the same machine.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { bundleProgram } from '../build/bundle-program.ts';
import { repository } from '../build/repository.ts';
import { writeBundle } from '../build/write-bundle.ts';
import { formatTable } from '../markdown-table.ts';
import { createRoot } from './chroot.ts';
import { arm64Executable, dynamicArm64Executable, dynamicExecutable, portableExecutable } from './executables.ts';
import { ownMb, residentMb, runGateway } from './run-gateway.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '15' } } });
const runs = Number(values.runs);
const folder = mkdtempSync(join(tmpdir(), 'bifrost-measure-'));

/** One way to have the program. */
interface Form {
  readonly name: string;
  readonly command: readonly string[];
  /** A writable folder, by its path as the program sees it. */
  readonly base: string;
}

interface Start {
  readonly readyMs: number;
  readonly ownMb: number;
  readonly residentMb: number;
}

/** Starts it with a home, in which it keeps compiled code from the first start on. */
async function start({ command, base }: Form, home: string): Promise<Start> {
  const path = join(base, home);
  const environment = { HOME: path, PATH: process.env['PATH'] ?? '' };
  await using gateway = await runGateway(command, { args: ['-app-dir', `${path}/app`], environment });
  const pid = gateway.child.pid ?? 0;
  // Nothing is asked of it: what the start itself left behind has been tidied up by then.
  await sleep(1000);
  return { readyMs: gateway.readyMs, ownMb: ownMb(pid), residentMb: residentMb(pid) };
}

/** Least, median and most, rounded. */
function spread(numbers: readonly number[]): string {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN).toFixed(0);
  return `${at(0)} / ${at(0.5)} / ${at(1)}`;
}

async function startTable(forms: readonly Form[]): Promise<string> {
  const first = new Map<Form, Start[]>(forms.map((form) => [form, []]));
  const second = new Map<Form, Start[]>(forms.map((form) => [form, []]));
  for (const form of forms) await start(form, 'kept');
  for (let run = 0; run < runs; run++) {
    for (const form of forms) {
      if (run < 5) first.get(form)?.push(await start(form, `new-${run}`));
      second.get(form)?.push(await start(form, 'kept'));
    }
  }
  const rows = forms.map((form) => {
    const [early = [], later = []] = [first.get(form), second.get(form)];
    const mb = (pick: (start: Start) => number): string => `${spread(later.map(pick)).split(' / ')[1]} MB`;
    return [
      form.name,
      `${spread(early.map(({ readyMs }) => readyMs))} ms`,
      `${spread(later.map(({ readyMs }) => readyMs))} ms`,
      mb((each) => each.ownMb),
      mb((each) => each.residentMb),
    ];
  });
  return formatTable(['form', 'first start', 'second start', 'own memory', 'resident'], rows);
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** Size after a compressor that writes to standard output. */
function compressed(file: string, args: readonly string[], path: string): string {
  const output = execFileSync(file, [...args, '-c', path], { maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'ignore'] });
  return megabytes(output.length);
}

function sizeTable(files: readonly (readonly [name: string, path: string])[]): string {
  const rows = files.map(([name, path]) => [
    name,
    megabytes(statSync(path).size),
    // Minutes each: one architecture tells what the other is like.
    ...(name.endsWith('x64') ? [compressed('xz', ['-T0'], path), compressed('zstd', ['-19', '-T0'], path)] : ['', '']),
  ]);
  return formatTable(['file', 'size', 'xz', 'zstd -19'], rows);
}

/** An empty root and one with the C library and the shell of a system with musl. */
function roots(executable: string): readonly (Form & Disposable)[] {
  const musl: readonly (readonly [string, string])[] = [
    ['/bin/busybox', 'bin/sh'],
    ['/lib/x86_64-linux-musl/libc.so', 'lib/ld-musl-x86_64.so.1'],
  ];
  const kinds = [
    ['portable, empty root', []],
    ['portable, root with musl only', musl],
  ] as const;
  return kinds.map(([name, files]) => {
    const root = createRoot();
    root.add(executable, 'bifrost-http');
    for (const [from, to] of files) if (existsSync(from)) root.add(from, to);
    const command = root.command(['/bifrost-http']);
    return { name, command, base: '/data', [Symbol.dispose]: () => root[Symbol.dispose]() };
  });
}

const [portable, dynamic] = [await portableExecutable(), await dynamicExecutable()];
const bundle = join(folder, 'bundle');
mkdirSync(bundle);
writeBundle(bundle, await bundleProgram({ kind: 'bundle' }));
const inRoots = roots(portable);
try {
  const forms: readonly Form[] = [
    { name: 'portable, Debian', command: [portable], base: join(folder, 'portable') },
    ...inRoots,
    { name: 'dynamic, Debian', command: [dynamic], base: join(folder, 'dynamic') },
    {
      name: 'bundle (`make run`, npm package)',
      command: [process.execPath, join(bundle, 'main.js')],
      base: join(folder, 'of-bundle'),
    },
    {
      name: 'sources',
      command: [process.execPath, join(repository, 'transports/http/src/main.ts')],
      base: join(folder, 'of-sources'),
    },
  ];
  console.log(`${runs} starts each, in turns; least / median / most\n\n${await startTable(forms)}\n`);
  const files = [
    ['portable, linux-x64', portable],
    ['dynamic, linux-x64', dynamic],
    ['portable, linux-arm64', await arm64Executable()],
    ['dynamic, linux-arm64', await dynamicArm64Executable()],
  ] as const;
  console.log(sizeTable(files));
} finally {
  for (const root of inRoots) root[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
}
