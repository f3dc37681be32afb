/** Builds the native plugins of tests and examples once, into `tmp/`, named by what they were made from. */
import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../../../../..');
const examples = join(root, 'examples/plugins');
const headers = join(root, 'sdk/native');
const builds = join(root, 'tmp/native-builds');

interface Build {
  /** Files and folders that the result depends on. */
  readonly sources: readonly string[];
  readonly extension: string;
  command(out: string): readonly [program: string, ...args: string[]];
}

function hashOf(paths: readonly string[], more: string): string {
  const hash = createHash('sha256').update(more);
  const add = (path: string): void => {
    if (!statSync(path).isDirectory()) hash.update(path).update(readFileSync(path));
    else
      for (const name of readdirSync(path).toSorted()) if (!/\.(so|node|test\.ts)$/.test(name)) add(join(path, name));
  };
  paths.forEach(add);
  return hash.digest('hex').slice(0, 24);
}

function hasTool(tool: string): boolean {
  return ['/usr/bin', '/usr/local/bin', '/bin'].some((directory) => existsSync(join(directory, tool)));
}

function build(name: string, recipe: Build): string {
  const { sources, extension } = recipe;
  const hash = hashOf([...sources, join(headers, 'bifrost_plugin.h')], recipe.command('OUT').join(' '));
  const file = join(builds, `${name}-${hash}${extension}`);
  if (existsSync(file)) return file;
  const partial = join(builds, `${name}-${randomUUID()}${extension}`);
  mkdirSync(builds, { recursive: true });
  const [program, ...args] = recipe.command(partial);
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  renameSync(partial, file);
  // Go's c-shared also writes a header.
  rmSync(partial.replace(/\.so$/, '.h'), { force: true });
  return file;
}

const exampleBuilds = {
  'native-c': { extension: '.so', tool: 'gcc' },
  'native-rust': { extension: '.so', tool: 'rustc' },
  'native-go': { extension: '.so', tool: 'go' },
  'native-addon': { extension: '.node', tool: 'gcc' },
} as const;

export type NativeExample = keyof typeof exampleBuilds;
export const nativeExamples = Object.keys(exampleBuilds) as readonly NativeExample[];

/** Why the example cannot be built on this machine; undefined where it can. */
export function missingTool(example: NativeExample): string | undefined {
  const { tool } = exampleBuilds[example];
  return hasTool(tool) ? undefined : `${example} needs ${tool} (tools/install-toolchains.sh)`;
}

/** The built library of an example, as its own Makefile builds it. With `variant`: one of other bytes. */
export function buildExample(example: NativeExample, variant?: string): string {
  const folder = join(examples, example);
  const flags = variant === undefined ? [] : [`LDFLAGS=-X main.variant=${variant}`];
  return build(example, {
    ...exampleBuilds[example],
    sources: [folder],
    command: (out) => ['make', '-s', '-B', '-C', folder, `OUT=${out}`, ...flags, `${out}`],
  });
}

/** The plugin of `scripted-plugin.c`; `flags` such as `-DSCRIPTED_ABI=0x20000` make variants of it, each with a name of its own. */
export function buildScripted(name = 'scripted', flags: readonly string[] = []): string {
  const json = join(examples, 'native-c');
  const file = join(import.meta.dirname, 'scripted-plugin.c');
  return build(name, {
    sources: [file, json],
    extension: '.so',
    command: (out) => [
      'gcc',
      '-std=gnu11',
      '-Wall',
      '-Wextra',
      '-Werror',
      '-O1',
      '-fPIC',
      '-shared',
      ...flags,
      `-I${headers}`,
      `-I${json}`,
      `-o${out}`,
      file,
      join(json, 'json.c'),
    ],
  });
}

/** The add-on of `scripted-addon.c`, whose exports are what the JavaScript `exports` evaluates to. */
export function buildScriptedAddon(name: string, exports: string, flags: readonly string[] = []): string {
  const file = join(import.meta.dirname, '../../node-addon/__tests__/scripted-addon.c');
  return build(name, {
    sources: [file],
    extension: '.node',
    command: (out) => [
      'gcc',
      '-std=c11',
      '-O1',
      '-fPIC',
      '-shared',
      ...flags,
      `-DEXPORTS=${JSON.stringify(exports)}`,
      `-I${resolve(process.execPath, '../../include/node')}`,
      `-o${out}`,
      file,
    ],
  });
}
