import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { repository } from '../build/repository.ts';
import { createRoot, explainNoChroot } from './chroot.ts';
import { dynamicExecutable, portableExecutable } from './executables.ts';
import { complete, runGateway } from './run-gateway.ts';
import type { RunningGateway } from './run-gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'bifrost-kinds-'));
afterAll(() => rmSync(folder, { recursive: true }));

const example = (path: string): string => join(repository, 'examples/plugins', path);
const isolations = ['inline', 'worker', 'process'] as const;
const hasPython = existsSync('/usr/lib/python3/dist-packages/grpc');

const streamed = {
  body: JSON.stringify({ model: 'mock/hello', stream: true, messages: [{ role: 'user', content: 'Hello' }] }),
};

interface Entry {
  readonly name: string;
  readonly [key: string]: unknown;
}

/** WebAssembly of two languages and both interfaces, each in every isolation. */
function wasmEntries(prefix: (path: string) => string): readonly Entry[] {
  const files = ['wasm-rust/plugin.wasm', 'wasm-c/plugin.wasm', 'wasm-bifrost-abi/guest-c.wasm'];
  return files.flatMap((file) =>
    isolations.map((isolation) => ({
      name: `${file.replace(/\/.*/, '')}-${isolation}`,
      path: prefix(file),
      isolation,
      config: { stamp: ' [checked]' },
    })),
  );
}

function writeConfig(path: string, entries: readonly Entry[]): string {
  writeFileSync(path, JSON.stringify({ plugins: entries.map((entry) => ({ ...entry, enabled: true })) }));
  return path;
}

async function assertLoaded(gateway: RunningGateway, entries: readonly Entry[]): Promise<void> {
  for (const { name } of entries) await gateway.until(new RegExp(`plugin status: ${name} - active`));
}

describe.each([
  ['portable', portableExecutable],
  ['dynamic', dynamicExecutable],
] as const)('the %s executable', (kind, build) => {
  it('runs WebAssembly in every isolation, and programs by gRPC', { timeout: 180_000 }, async () => {
    // The script runs with the executable's own Node: there is no other in its environment.
    const programs: readonly Entry[] = [
      {
        name: 'grpc-typescript',
        path: example('grpc-typescript'),
        isolation: 'grpc',
        config: { stamp: 'from a script' },
      },
      ...(hasPython ? [{ name: 'grpc-python', path: example('grpc-python'), isolation: 'grpc' }] : []),
    ];
    const entries = [...wasmEntries(example), ...programs];
    const config = writeConfig(join(folder, `${kind}.json`), entries);
    const environment = { PATH: '/usr/bin:/bin' };
    await using gateway = await runGateway([await build()], {
      args: ['-config', config, '-app-dir', folder],
      environment,
    });
    await assertLoaded(gateway, entries);
    const { response, text } = await complete(gateway.url);
    expect(text).toContain('You said: Hello');
    expect(response.headers.get('x-grpc-typescript')).toBe('from a script');
    if (hasPython) expect(response.headers.get('x-grpc-python')).toContain('asked');
    const stream = await complete(gateway.url, streamed);
    expect(stream.text.match(/\[checked\]/g)?.length).toBeGreaterThanOrEqual(isolations.length);
    expect(stream.text).toContain('[grpc] ');
  });
});

const noChroot = explainNoChroot();
/** What the TypeScript example of gRPC imports, and what that does. */
const grpcPackages = ['@grpc', '@js-sdsl', '@protobufjs', 'protobufjs', 'long', 'lodash.camelcase'];

/** The example as a server that runs already, outside of the root: a socket in `folder`. */
async function startServer(socketFolder: string): Promise<AsyncDisposable> {
  mkdirSync(socketFolder);
  const environment = { BIFROST_PLUGIN: '1', BIFROST_PLUGIN_SOCKET_DIR: socketFolder };
  const child = spawn(process.execPath, [example('grpc-typescript/plugin.ts')], { env: environment });
  await once(child.stdout, 'data');
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

describe.skipIf(noChroot !== undefined)(`the portable executable in an empty root ${noChroot ?? ''}`, () => {
  it('runs WebAssembly, a script by gRPC, and asks a server that runs elsewhere', { timeout: 180_000 }, async () => {
    using root = createRoot();
    root.add(await portableExecutable(), 'bifrost-http');
    const data = join(root.path, 'data');
    for (const name of ['wasm-rust', 'wasm-c', 'wasm-bifrost-abi', 'grpc-typescript']) {
      cpSync(example(name), join(data, name), { recursive: true });
    }
    for (const name of grpcPackages) {
      cpSync(join(repository, 'node_modules', name), join(data, 'node_modules', name), { recursive: true });
    }
    await using _server = await startServer(join(data, 'elsewhere'));
    const stamp = (name: string): object => ({ stamp: `from ${name}` });
    const entries: readonly Entry[] = [
      ...wasmEntries((file) => `/data/${file}`),
      { name: 'script', path: '/data/grpc-typescript', isolation: 'grpc', config: stamp('a script') },
      { name: 'remote', isolation: 'grpc', address: 'unix:/data/elsewhere/plugin.sock', config: stamp('elsewhere') },
    ];
    writeConfig(join(data, 'config.json'), entries);
    await using gateway = await runGateway(root.command(['/bifrost-http', '-app-dir', '/data']));
    await assertLoaded(gateway, entries);
    const { response } = await complete(gateway.url);
    // Post hooks run in reverse: the first plugin of the list has the last word.
    expect(response.headers.get('x-grpc-typescript')).toBe('from a script');
    expect((await complete(gateway.url, streamed)).text).toMatch(/\[grpc\].*\[grpc\]/s);
  });
});
