import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Checkout, documentedCommands } from './__tests__/checkout.ts';
import { dynamicExecutable, portableExecutable } from './executables.ts';

const checkouts = new Map<'portable' | 'dynamic', Checkout>();
const on = (kind: 'portable' | 'dynamic'): Checkout => {
  const checkout = checkouts.get(kind);
  if (checkout === undefined) throw new Error('it is made before the tests');
  return checkout;
};

beforeAll(async () => {
  checkouts.set('portable', new Checkout(await portableExecutable()));
  checkouts.set('dynamic', new Checkout(await dynamicExecutable()));
}, 180_000);
afterAll(() => {
  for (const checkout of checkouts.values()) checkout[Symbol.dispose]();
});

/** Commands that end, and what they print: on the portable executable, on the dynamic one. */
const commands: readonly (readonly [command: string, portable: RegExp, dynamic: RegExp])[] = [
  ['ldd tmp/bifrost-http', /not a dynamic executable/, /libc\.so\.6 => \/\S+\/libc\.so\.6/],
  [
    'file -L tmp/bifrost-http',
    /ELF 64-bit LSB executable.*statically linked/,
    /ELF 64-bit LSB executable.*dynamically linked/,
  ],
  ['readelf -lW tmp/bifrost-http | grep interpreter', /^$/, /\/ld-linux/],
  ['./tmp/bifrost-http -version', /^bifrost-http 1\.3\.30\n {2}runtime +node 26\./, /native plugins +can be loaded/],
  [
    './tmp/bifrost-http -version -json',
    /"build":"portable".*"nativePlugins":false/,
    /"build":"dynamic".*"nativePlugins":true/,
  ],
  ['uname -m', /^(x86_64|aarch64)\n$/, /^(x86_64|aarch64)\n$/],
  ['node_modules/.bin/node --version', /^v26\.\d+\.\d+\n$/, /^v26\.\d+\.\d+\n$/],
  [
    'cat transports/http/package.json core/package.json framework/package.json',
    /"fastify": "5\.\d+\.\d+"[\s\S]*"undici": "8\.\d+\.\d+"/,
    /"@grpc\/grpc-js": "1\.\d+\.\d+"/,
  ],
  ['npm ls --package-lock-only --omit=dev fastify undici', /fastify@5\.\d+\.\d+/, /undici@8\.\d+\.\d+/],
  ['(cd tmp && sha256sum -c SHA256SUMS)', /bifrost-http: OK/, /bifrost-http: OK/],
  [
    `node -p "require('./tmp/bifrost-http.cdx.json').components.map((c) => c.name + ' ' + c.version).join('\\n')"`,
    /^node 26\.\d+\.\d+$[\s\S]*^libc\.so\.6 2\.\d+$/m,
    /^fastify 5\.\d+\.\d+$[\s\S]*^undici 8\.\d+\.\d+$/m,
  ],
  ['(cd examples/plugins/hello-world && make build)', /Finished/, /Finished/],
  ['./tmp/bifrost-http plugin check examples/plugins/hello-world', /^ok: hello-world/, /^ok: hello-world/],
  [
    'node examples/embedding/main.ts mock/hello "How are you?"',
    /^You said: How are you\?$/m,
    /^You said: How are you\?$/m,
  ],
  ['./tmp/bifrost-http plugin --help', /bifrost-http plugin new hello/, /plugin verify/],
];

describe.each(['portable', 'dynamic'] as const)('commands of the documentation on the %s executable', (kind) => {
  it.each(commands)('%s', (command, portable, dynamic) => {
    expect(on(kind).type(command)).toMatch(kind === 'portable' ? portable : dynamic);
    expect(documentedCommands()).toContain(command);
  });

  it('a plugin that loads is named in the log, and in the list of plugins', async () => {
    const checkout = on(kind);
    const command = './tmp/bifrost-http -config examples/plugins/hello-world/config.json';
    const list = 'curl -s http://localhost:8080/api/plugins -H "Authorization: Bearer $BIFROST_ADMIN_TOKEN"';
    expect(documentedCommands()).toEqual(expect.arrayContaining([command, list]));
    const started = /Plugin loaded successfully: hello-world[\s\S]*is ready on \S+:(\d+)[\s\S]*: (bfa_\S+)/;
    await checkout.typeUntil(command, started, (output) => {
      const [, port = '', token = ''] = started.exec(output) ?? [];
      const printed = checkout.type(list.replace('8080', port), { BIFROST_ADMIN_TOKEN: token });
      expect(JSON.parse(printed)).toMatchObject({
        plugins: [{ name: 'hello-world', version: '1.0.0', kind: 'module', status: { status: 'active' } }],
      });
      return Promise.resolve();
    });
  });

  it('it serves on all addresses, with its files where it is told', async () => {
    const command = './tmp/bifrost-http -app-dir /var/lib/bifrost -host 0.0.0.0 -port 8080';
    expect(documentedCommands()).toContain(command);
    const here = command.replace('/var/lib/bifrost', on(kind).path('app')).replace('8080', '0');
    await on(kind).typeUntil(here, /is ready on http:\/\/\S+:\d+/);
  });

  it('the plugin as it was built loads too, with the version that it was given', async () => {
    const checkout = on(kind);
    const command = '(cd examples/plugins/hello-world && make build VERSION=v1.0.0)';
    expect(documentedCommands()).toContain(command);
    checkout.type(command);
    const built = checkout.path('examples/plugins/hello-world/build/hello-world.js');
    expect(readFileSync(built, 'utf8')).toMatch(/^\/\* hello-world v1\.0\.0, built \d{4}-\d\d-\d\dT/);
    const plugins = [{ name: 'built', path: built, enabled: true }];
    writeFileSync(checkout.path('built.json'), JSON.stringify({ plugins }));
    await checkout.typeUntil('./tmp/bifrost-http -config built.json', /Plugin loaded successfully: built/);
  });
});

it('every command of the pages is typed by a test', () => {
  const tests = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'));
  const texts = tests.map((name) => readFileSync(join(import.meta.dirname, name), 'utf8').replaceAll('\\\\n', '\\n'));
  expect(documentedCommands().filter((command) => !texts.some((text) => text.includes(command)))).toEqual([]);
});
