import { execFileSync } from 'node:child_process';
import { copyFileSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageLibraries } from '../build/package-libraries.ts';
import { repository } from '../build/repository.ts';
import { artefact } from './artefact-store.ts';
import { complete, runGateway } from './run-gateway.ts';

const project = mkdtempSync(join(tmpdir(), 'bifrost-project-'));
afterAll(() => rmSync(project, { recursive: true }));
const binaries = join(repository, 'node_modules/.bin');

/** Runs a program in the project with the pinned Node. */
function run(file: string, ...args: readonly string[]): string {
  const PATH = `${binaries}:${process.env['PATH'] ?? ''}`;
  return execFileSync(file, args, { cwd: project, encoding: 'utf8', env: { ...process.env, PATH }, stdio: 'pipe' });
}

describe('the npm packages in a project of their own', () => {
  beforeAll(async () => {
    const folder = await artefact('packages', async (directory) => {
      await packageLibraries(directory, { commit: '0123456789ab' });
    });
    const archives = globSync('*.tgz', { cwd: folder }).map((name) => join(folder, name));
    writeFileSync(join(project, 'package.json'), '{ "type": "module", "private": true }');
    run('npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', ...archives);
  }, 300_000);

  it('run the gateway with npx', () => {
    const facts: unknown = JSON.parse(run('npx', '--no-install', 'bifrost-http', '-version', '-json'));
    expect(facts).toMatchObject({ build: 'bundle', commit: '0123456789ab', nativePlugins: true });
  });

  it('make, build and check a plugin with npx', () => {
    expect(run('npx', '--no-install', 'bifrost', 'plugin', 'new', 'hello')).toContain('bifrost plugin test hello');
    expect(run('npx', '--no-install', 'bifrost-http', 'plugin', 'build', 'hello')).toContain('hello 0.1.0');
    expect(run('npx', '--no-install', 'bifrost', 'plugin', 'check', 'hello/dist')).toContain('ok: hello 0.1.0, module');
  });

  it('serve', async () => {
    const main = join(project, 'node_modules/.bin/bifrost-http');
    await using gateway = await runGateway([process.execPath, main], { args: ['-app-dir', project] });
    expect((await complete(gateway.url)).text).toContain('You said: Hello');
  });

  it('run the example that embeds the engine, and type-check it', () => {
    const example = join(repository, 'examples/embedding/main.ts');
    copyFileSync(example, join(project, 'main.ts'));
    expect(run('node', 'main.ts', 'mock/hello', 'How are you?')).toBe('You said: How are you?\n');
    const compilerOptions = {
      noEmit: true,
      strict: true,
      module: 'nodenext',
      target: 'es2024',
      lib: ['es2024', 'esnext.disposable'],
      types: ['node'],
      typeRoots: [join(repository, 'node_modules/@types')],
    };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }));
    expect(run('tsc', '-p', '.')).toBe('');
  });

  it('hold JavaScript and declarations, and no TypeScript sources', () => {
    const files = globSync('node_modules/@bifrost/*/dist/**/*.ts', { cwd: project });
    expect(files.length).toBeGreaterThan(50);
    // What `bifrost plugin new` writes is read, never run.
    expect(files.filter((name) => !/\.d\.ts$|\/dist\/files\//.test(name))).toEqual([]);
    const manifest = JSON.parse(
      readFileSync(join(project, 'node_modules/@bifrost/http/package.json'), 'utf8'),
    ) as object;
    expect(manifest).not.toHaveProperty('dependencies');
  });
});
