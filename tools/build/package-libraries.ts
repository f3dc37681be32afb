import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleProgram } from './bundle-program.ts';
import { repository } from './repository.ts';
import type { SourceFacts } from './source-facts.ts';
import { writeBundle } from './write-bundle.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly engines: Readonly<Record<string, string>>;
}

const libraries = ['sdk', 'core'];

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(repository, folder, 'package.json'), 'utf8')) as Manifest;
}

function writeManifest(folder: string, manifest: object): void {
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ ...manifest, type: 'module' }, null, 2)}\n`);
  copyFileSync(join(repository, 'LICENSE'), join(folder, 'LICENSE'));
}

/** Every source of a library that is no test. */
function sourcesOf(folder: string): readonly string[] {
  return globSync(`${folder}/src/**/*.ts`, { cwd: repository })
    .filter((path) => !/\.(?:test|test-d|bench|examples)\.ts$|\/(?:__tests__|__fixtures__|testing)\//.test(path))
    .map((path) => join(repository, path))
    .toSorted();
}

/**
 * JavaScript and declarations of all libraries in one run: Node runs no TypeScript below node_modules. All sources are named: one
 * that the compiler meets first through node_modules, as the packages import each other, is taken for foreign and not written.
 */
function emit(output: string): void {
  const config = {
    extends: join(repository, 'tsconfig.json'),
    compilerOptions: { noEmit: false, declaration: true, rootDir: repository, outDir: output },
    files: libraries.flatMap(sourcesOf),
    include: [],
  };
  const path = join(repository, `tmp/emit-${process.pid}.tsconfig.json`);
  writeFileSync(path, JSON.stringify(config));
  try {
    execFileSync('tsc', ['-p', path], { cwd: repository, stdio: ['ignore', 'inherit', 'inherit'] });
  } finally {
    rmSync(path);
  }
}

function packageLibrary(folder: string, emitted: string, output: string): void {
  const { name, version, license, exports, dependencies, engines } = readManifest(folder);
  mkdirSync(output, { recursive: true });
  cpSync(join(emitted, folder, 'src'), join(output, 'dist'), { recursive: true });
  const built = Object.entries(exports).map(([key, entry]) => {
    const base = entry.replace('./src/', './dist/').replace(/\.ts$/, '');
    return [key, { types: `${base}.d.ts`, default: `${base}.js` }] as const;
  });
  writeManifest(output, { name, version, license, exports: Object.fromEntries(built), dependencies, engines });
}

/** The program as an npm package without dependencies: `npx @bifrost/http`. */
async function packageProgram(output: string, facts: SourceFacts & { readonly version?: string }): Promise<void> {
  const { name, version, license, engines } = readManifest('transports/http');
  writeBundle(join(output, 'dist'), await bundleProgram({ kind: 'bundle', ...facts }));
  const bin = { 'bifrost-http': './dist/main.js', bifrost: './dist/workshop.js' };
  writeManifest(output, { name, version: facts.version ?? version, license, bin, engines });
}

/** Writes npm archives of `@bifrost/sdk`, `@bifrost/core` and `@bifrost/http` into `folder`; returns their paths. */
export async function packageLibraries(
  folder: string,
  facts: SourceFacts & { readonly version?: string },
): Promise<readonly string[]> {
  mkdirSync(folder, { recursive: true });
  const work = join(folder, 'work');
  rmSync(work, { recursive: true, force: true });
  emit(join(work, 'emitted'));
  for (const library of libraries) packageLibrary(library, join(work, 'emitted'), join(work, library));
  await packageProgram(join(work, 'http'), facts);
  const names = [...libraries, 'http'].map((name) => {
    const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder];
    return execFileSync('npm', args, { cwd: join(work, name), encoding: 'utf8' }).trim();
  });
  rmSync(work, { recursive: true });
  const paths = names.map((name) => join(folder, name));
  const missing = paths.filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(`npm made no ${missing.join(', ')}`);
  return paths;
}
