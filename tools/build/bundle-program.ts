import { readFileSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import { rolldown } from 'rolldown';
import type { OutputChunk, Plugin } from 'rolldown';
import type { BuildStamp } from '../../framework/src/realms/build-stamp.ts';
import { listCarriedFiles } from './carried-files.ts';
import { findProgramEntries } from './program-entries.ts';
import { repository } from './repository.ts';

/** The program as JavaScript. */
export interface ProgramBundle {
  /** Text by path in one folder, in the order of the paths: code, and under `files/` what the program reads. */
  readonly files: ReadonlyMap<string, string>;
  /** The sources that went in, relative to the repository, with forward slashes. */
  readonly modules: readonly string[];
}

/**
 * CommonJS packages ask for Node's modules with `require`. The bundler makes one from the file's URL, which the executable's
 * modules do not have; all else is in the bundle, so Node's own modules are all that it can be asked for.
 */
const requireOnlyBuiltins: Plugin = {
  name: 'require-only-builtins',
  renderChunk: (code) => code.replace('createRequire(import.meta.url)', 'process.getBuiltinModule'),
};

/** Bundles the program and its thread and child entries. The same sources and stamp give the same bytes. */
export async function bundleProgram(
  stamp: BuildStamp,
  entries: Readonly<Record<string, string>> = findProgramEntries(),
  carried: readonly string[] = listCarriedFiles(),
): Promise<ProgramBundle> {
  const build = await rolldown({
    cwd: repository,
    input: entries,
    platform: 'node',
    // The bundler is no part of the program: `bifrost plugin build` takes that of the plugin's folder.
    external: (id) => id.startsWith('node:') || id === 'rolldown',
    transform: { define: { bifrostBuildStamp: JSON.stringify(stamp) }, target: 'node26' },
    plugins: [requireOnlyBuiltins],
    logLevel: 'warn',
  });
  try {
    const { output } = await build.generate({
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: 'chunk-[name]-[hash].js',
      // Names of classes and functions stay: they are in errors and traces.
      minify: { compress: true, mangle: { keepNames: true }, codegen: { removeWhitespace: true } },
      keepNames: true,
      comments: { legal: false, annotation: false, jsdoc: false },
    });
    const chunks = output.filter((item): item is OutputChunk => item.type === 'chunk');
    const code = chunks.map((chunk) => [chunk.fileName, chunk.code] as const);
    const texts = carried.map((path) => [`files/${path}`, readFileSync(join(repository, path), 'utf8')] as const);
    const files = new Map([...code, ...texts].toSorted(byName));
    const modules = [...new Set(chunks.flatMap(({ moduleIds }) => moduleIds))].filter((id) => isAbsolute(id));
    return { files, modules: modules.map((id) => relative(repository, id).split(sep).join('/')).toSorted() };
  } finally {
    await build.close();
  }
}

function byName([left]: readonly [string, string], [right]: readonly [string, string]): number {
  return left < right ? -1 : 1;
}

/** The first script of the executable and of its threads (framework/src/realms/executable-boot.ts), as CommonJS. */
export async function bundleBoot(): Promise<string> {
  const build = await rolldown({
    cwd: repository,
    input: join(repository, 'framework/src/realms/executable-boot.ts'),
    platform: 'node',
    external: (id) => id.startsWith('node:'),
  });
  try {
    const { output } = await build.generate({ format: 'cjs', minify: true });
    return output[0].code;
  } finally {
    await build.close();
  }
}
