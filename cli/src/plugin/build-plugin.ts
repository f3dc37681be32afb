/** Makes of a plugin's sources one file and a manifest with its digest. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { apiRelease, manifestFileName } from '@bifrost/sdk';
import type { PluginManifest } from '@bifrost/sdk';
import type { Environment } from '@bifrost/framework/config';
import { locateArtefact, sha256Of, toIntegrity } from '@bifrost/framework/artefacts';
import { CommandFailure } from '../command-failure.ts';
import { bundleModule } from './bundle-module.ts';
import { readManifestFile, writeManifestFile } from './manifest-file.ts';

export interface BuildOptions {
  /** Where the plugin and its manifest are written; absolute. */
  readonly out: string;
  readonly version?: string;
  readonly environment: Environment;
  /** Gets what a compiler says. */
  complain(line: string): void;
}

export interface BuiltPlugin {
  readonly file: string;
  readonly manifest: PluginManifest;
  readonly bytes: number;
}

const moduleExtensions = ['.ts', '.mts', '.js', '.mjs'];

function failed(plugin: string, message: string, cause?: unknown): CommandFailure {
  return new CommandFailure(`plugin ${plugin}: ${message}`, cause);
}

/** The build's time: `SOURCE_DATE_EPOCH` where it is set, so that the same sources give the same bytes. */
function buildTimeOf(environment: Environment, now: number): string {
  const stated = environment['SOURCE_DATE_EPOCH'];
  const isStated = stated !== undefined && /^\d{1,11}$/.test(stated);
  return new Date(isStated ? Number(stated) * 1000 : now).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

interface Source {
  readonly folder: string;
  /** The entry of a module; absent for what is compiled by other tools. */
  readonly entry?: string;
  readonly manifest: PluginManifest;
}

async function findSource(path: string, directory: string): Promise<Source> {
  const absolute = resolve(directory, path);
  const hasManifest = existsSync(join(absolute, manifestFileName)) || basename(absolute) === manifestFileName;
  if (hasManifest) {
    const { folder, manifest } = readManifestFile(absolute, directory);
    const isModule = moduleExtensions.includes(extname(manifest.main));
    return { folder, manifest, ...(isModule ? { entry: join(folder, manifest.main) } : {}) };
  }
  const located = await locateArtefact(basename(absolute), absolute, {
    baseDirectory: directory,
    workingDirectory: directory,
  });
  const name = basename(located.file).startsWith('index.')
    ? basename(located.directory)
    : basename(located.file, extname(located.file));
  const manifest = located.manifest ?? { name, version: '0.0.0', api: apiRelease, main: basename(located.file) };
  const entry = moduleExtensions.includes(extname(located.file)) ? { entry: located.file } : {};
  return { folder: located.directory, manifest, ...entry };
}

async function bundle({ manifest, entry = '' }: Source, file: string, banner: string): Promise<void> {
  try {
    const code = await bundleModule(entry);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${banner}\n${code}`);
  } catch (cause) {
    throw failed(manifest.name, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Runs the build that the plugin's folder has: a Makefile, or build.sh. */
function compile(
  { folder, manifest }: Source,
  stamps: Readonly<Record<string, string>>,
  options: BuildOptions,
): string {
  const artefact = join(folder, manifest.main);
  const [command, args] = existsSync(join(folder, 'Makefile'))
    ? ['make', ['--no-print-directory']]
    : existsSync(join(folder, 'build.sh'))
      ? ['sh', ['build.sh']]
      : [undefined, []];
  if (command === undefined) {
    if (manifest.kind === 'grpc') {
      throw failed(
        manifest.name,
        `there is nothing to build: it runs as it is. Ship the whole folder ${folder} (\`bifrost plugin sign\` signs it so)`,
      );
    }
    if (existsSync(artefact)) return artefact;
    throw failed(manifest.name, `${folder} has neither a Makefile nor a build.sh that makes ${manifest.main}`);
  }
  const result = spawnSync(command, args, {
    cwd: folder,
    env: { ...options.environment, ...stamps },
    encoding: 'utf8',
    maxBuffer: 16_777_216,
  });
  if (result.error !== undefined) {
    const isAbsent = 'code' in result.error && result.error.code === 'ENOENT';
    const why = isAbsent ? 'it is not in PATH; install it' : result.error.message;
    throw failed(manifest.name, `${command} cannot be run: ${why}`);
  }
  for (const line of `${result.stdout}${result.stderr}`.split('\n')) if (line.trim() !== '') options.complain(line);
  if (result.status !== 0) {
    throw failed(
      manifest.name,
      `\`${[command, ...args].join(' ')}\` in ${folder} ended with ${result.status ?? result.signal}: what is wrong stands above`,
    );
  }
  if (!existsSync(artefact)) throw failed(manifest.name, `the build is done, but ${artefact} is not there`);
  return artefact;
}

/** Builds the plugin at `path`. Rejects with CommandFailure or PluginError. */
export async function buildPlugin(path: string, directory: string, options: BuildOptions): Promise<BuiltPlugin> {
  const source = await findSource(path, directory);
  const { name } = source.manifest;
  const version = options.version ?? source.manifest.version;
  const time = buildTimeOf(options.environment, Date.now());
  const isModule = source.entry !== undefined;
  const main = isModule ? `${name}.mjs` : basename(source.manifest.main);
  const file = join(options.out, main);
  if (isModule && resolve(source.folder, source.manifest.main) === file) {
    throw failed(name, `${file} would be written over its own source: choose another folder with --out`);
  }
  if (isModule) await bundle(source, file, `/* ${name} ${version}, built ${time} */`);
  else {
    const made = compile(source, { VERSION: version, BUILD_TIME: time }, options);
    mkdirSync(options.out, { recursive: true });
    if (made !== file) copyFileSync(made, file);
  }
  const bytes = readFileSync(file);
  const { signature: _signature, integrity: _integrity, ...stated } = source.manifest;
  const manifest: PluginManifest = {
    ...stated,
    version,
    main: relative(options.out, file),
    integrity: toIntegrity(sha256Of(bytes)),
    build: { ...stated.build, time, tool: 'bifrost plugin build' },
  };
  writeManifestFile(join(options.out, manifestFileName), manifest);
  return { file, manifest, bytes: bytes.length };
}
