import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../build/repository.ts';
import { assertBuiltins } from './assert-builtins.ts';
import { createRoot, explainNoChroot } from './chroot.ts';
import { dynamicExecutable, portableExecutable, testedVersion } from './executables.ts';
import { complete, residentMb, runGateway } from './run-gateway.ts';
import type { RunningGateway } from './run-gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'bifrost-artefacts-'));
afterAll(() => rmSync(folder, { recursive: true }));

const helloWorld = join(repository, 'examples/plugins/hello-world');
const isolations = ['inline', 'worker', 'process'] as const;

/** The plugin three times, each isolated in another way, with a greeting that tells them apart. */
function configOf(path: string): string {
  const plugins = isolations.map((isolation) => ({ name: `hello-${isolation}`, path, enabled: true, isolation }));
  return JSON.stringify({ plugins });
}

/** Waits until all three are loaded, then asks for a completion that all have seen. */
async function assertPlugins(gateway: RunningGateway): Promise<void> {
  for (const isolation of isolations) await gateway.until(new RegExp(`Plugin loaded successfully: hello-${isolation}`));
  const { response, text } = await complete(gateway.url);
  expect(response.headers.get('x-hello-world')).toContain('Hello, World!');
  expect(text).toContain('You said: Hello');
  for (const isolation of isolations)
    await gateway.until(new RegExp(`"plugin":"hello-${isolation}"[^\\n]*A request for mock/hello came in`));
}

const noChroot = explainNoChroot();
const withBuild = 120_000;

/** `ldd`, which ends with code 1 for what is not dynamic. */
function ldd(path: string): string {
  try {
    return execFileSync('ldd', [path], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string };
    return stdout + stderr;
  }
}

describe.each([
  ['portable', portableExecutable],
  ['dynamic', dynamicExecutable],
] as const)('the %s executable', (kind, build) => {
  let path = '';
  beforeAll(async () => {
    path = await build();
  }, withBuild);

  it('says version, runtime, plugin API, libc, architecture, kind, commit and build time', () => {
    const text = execFileSync(path, ['-version'], { encoding: 'utf8' });
    expect(text).toMatch(new RegExp(`^bifrost-http ${testedVersion}\n`));
    const facts: unknown = JSON.parse(execFileSync(path, ['-version', '--json'], { encoding: 'utf8' }));
    expect(facts).toEqual({
      version: testedVersion,
      runtime: { name: 'node', version: process.versions.node },
      pluginApi: expect.stringMatching(/^>=\d+\.\d+ <=\d+\.\d+$/),
      platform: 'linux',
      architecture: process.arch,
      libc: expect.stringMatching(/^glibc 2\.\d+$/),
      build: kind,
      nativePlugins: kind === 'dynamic',
      commit: '0123456789ab',
      buildTime: '2026-01-02T03:04:05Z',
    });
  });

  it(kind === 'dynamic' ? 'is linked to the C library of the system' : 'is linked to nothing', () => {
    expect(ldd(path)).toMatch(kind === 'dynamic' ? /libc\.so\.6 => \/\S+libc\.so\.6/ : /not a dynamic executable/);
  });

  it('has checksums and a bill of materials beside it', () => {
    const sums = execFileSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: dirname(path), encoding: 'utf8' });
    expect(sums).toBe('bifrost-http: OK\nbifrost-http.cdx.json: OK\n');
    const sbom = JSON.parse(readFileSync(`${path}.cdx.json`, 'utf8')) as {
      readonly specVersion: string;
      readonly components: readonly { readonly name: string; readonly version?: string }[];
    };
    expect(sbom.specVersion).toBe('1.6');
    const names = sbom.components.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['node', 'fastify', 'undici', '@bifrost/core']));
    expect(names.includes('libc.so.6')).toBe(kind === 'portable');
  });

  it('serves, loads a TypeScript plugin inline, in a thread and in a process, and ends well', async () => {
    const config = join(folder, `${kind}.json`);
    writeFileSync(config, configOf(helloWorld));
    await using gateway = await runGateway([path], { args: ['-config', config, '-app-dir', folder] });
    await assertPlugins(gateway);
    expect(residentMb(gateway.child.pid ?? 0)).toBeLessThan(200);
    gateway.child.kill('SIGTERM');
    expect(await gateway.exited).toBe(0);
  });

  it.each(isolations)('has the built-in plugins: each acts on requests, %s', (isolation) =>
    assertBuiltins([path], isolation),
  );

  it('takes no options of Node from the environment', () => {
    const environment = { NODE_OPTIONS: '--no-such-option' };
    expect(execFileSync(path, ['-version'], { encoding: 'utf8', env: environment })).toContain(testedVersion);
  });

  it('is smaller than 120 MB, and than 45 MB compressed', () => {
    expect(statSync(path).size).toBeLessThan(120_000_000);
    // The quickest compressor; BUILD.md has what others make of it.
    expect(zstdCompressSync(readFileSync(path)).length).toBeLessThan(45_000_000);
  });
});

describe.skipIf(noChroot !== undefined)(`the portable executable in a root of its own ${noChroot ?? ''}`, () => {
  let path = '';
  beforeAll(async () => {
    path = await portableExecutable();
  }, withBuild);

  it.each([
    ['with nothing else in it', undefined],
    ['with musl and busybox', '/bin/busybox'],
  ])('serves and loads the plugin inline, in a thread and in a process, %s', async (_name, busybox) => {
    using root = createRoot();
    root.add(path, 'bifrost-http');
    if (busybox !== undefined && existsSync(busybox)) root.add(busybox, 'bin/sh');
    const musl = '/lib/x86_64-linux-musl/libc.so';
    if (busybox !== undefined && existsSync(musl)) root.add(musl, 'lib/ld-musl-x86_64.so.1');
    cpSync(helloWorld, join(root.path, 'data/hello-world'), { recursive: true });
    writeFileSync(join(root.path, 'data/config.json'), configOf('./hello-world/index.ts'));
    await using gateway = await runGateway(root.command(['/bifrost-http', '-app-dir', '/data']));
    await assertPlugins(gateway);
  });

  it('says what it misses where /proc is not mounted', () => {
    using root = createRoot();
    root.add(path, 'bifrost-http');
    const run = (): string =>
      execFileSync('chroot', [root.path, '/bifrost-http', '-version'], { encoding: 'utf8', stdio: 'pipe' });
    expect(run).toThrow('the executable cannot start: /proc is not mounted');
  });
});
