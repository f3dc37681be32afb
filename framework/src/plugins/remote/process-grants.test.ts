import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PluginCapabilities } from '@bifrost/sdk';
import { pluginFolder } from '../__tests__/plugin-folder.ts';
import { remotePlugin, request } from './__tests__/remote-fixture.ts';
import type { FixtureOptions } from './__tests__/remote-fixture.ts';

/** A plugin whose routing hook answers with what `code` gives as a model. */
const answering = (code: string): string =>
  `export default { name: 'p', async preRequestHook(c, r) { const value = await (async () => { ${code} })(); return { model: 'got ' + value }; } };`;

interface Answer {
  readonly model: string | undefined;
  readonly log: string;
}

async function ask(code: string, capabilities: PluginCapabilities = {}, options: FixtureOptions = {}): Promise<Answer> {
  const entry = { ...options.entry, capabilities };
  await using fixture = await remotePlugin('process', answering(code), { ...options, entry });
  const outcome = await fixture.open().preRequest(request);
  return { model: outcome?.model, log: fixture.lines.join('\n') };
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('without a grant a plugin in a process is refused, and told the key that grants it', () => {
  it.each([
    [
      'reading a file',
      `return (await import('node:fs')).readFileSync('/etc/hostname', 'utf8');`,
      'reading /etc/hostname is refused: it is not granted the capability "fs.read" (plugins[].capabilities.fs.read: ["/etc/hostname"])',
    ],
    [
      'reading the gateway',
      `return (await import('node:fs')).readFileSync(${JSON.stringify(import.meta.filename)}, 'utf8');`,
      'is not granted the capability "fs.read"',
    ],
    [
      'writing a file',
      `(await import('node:fs')).writeFileSync('/tmp/bifrost-refused', 'x');`,
      'writing /tmp/bifrost-refused is refused: it is not granted the capability "fs.write"',
    ],
    [
      'starting a program',
      `(await import('node:child_process')).execFileSync('/bin/true');`,
      'starting the program /bin/true is refused: it is not granted the capability "childProcess" (plugins[].capabilities.childProcess: true)',
    ],
    [
      'starting a thread',
      `new (await import('node:worker_threads')).Worker('1', { eval: true });`,
      'starting a thread is refused: it is not granted the capability "workerThreads"',
    ],
    [
      'native code',
      `(await import('node:ffi')).dlopen(null, {});`,
      'loading native code is refused: it is not granted the capability "native" (plugins[].capabilities.native: true)',
    ],
    [
      'an add-on',
      `process.dlopen({ exports: {} }, '/x.node');`,
      'is refused: it is not granted the capability "native"',
    ],
    ['a program in its own place', `process.execve('/bin/true', ['true']);`, 'process.execve() is refused'],
    [
      'sqlite',
      `await import('node:sqlite');`,
      'using node:sqlite is refused: it is not granted the capability "sqlite" (plugins[].capabilities.sqlite: true)',
    ],
    ['sqlite by the back door', `process.getBuiltinModule('node:sqlite');`, 'using node:sqlite is refused'],
    [
      'fetch',
      `await fetch('http://127.0.0.1:4567/');`,
      'a connection to 127.0.0.1:4567 is refused: it is not granted the capability "net" for it (plugins[].capabilities.net: ["127.0.0.1:4567"])',
    ],
    [
      'a socket',
      `const net = await import('node:net'); await new Promise((resolve, reject) => net.connect(25, 'mail.example').on('error', reject));`,
      'a connection to mail.example:25 is refused',
    ],
    [
      'a unix socket',
      `const net = await import('node:net'); await new Promise((resolve, reject) => net.connect('/run/docker.sock').on('error', reject));`,
      'a connection to the socket /run/docker.sock is refused',
    ],
    [
      'listening',
      `const net = await import('node:net'); await new Promise((resolve, reject) => net.createServer().on('error', reject).listen(0));`,
      'using the network in this way is refused',
    ],
    [
      'a name lookup',
      `await (await import('node:dns')).promises.lookup('example.com');`,
      'looking up a host name is refused',
    ],
    [
      'a datagram',
      `const udp = (await import('node:dgram')).createSocket('udp4'); await new Promise((resolve, reject) => udp.on('error', reject).send('x', 9, '127.0.0.1', (e) => e ? reject(e) : resolve()));`,
      'is refused',
    ],
    ['a report', `process.report.writeReport('/tmp/bifrost-report.json');`, 'is not granted the capability "fs.write"'],
    ['an inspector', `(await import('node:inspector')).open(0);`, 'is refused'],
  ])('%s', async (_what, code, words) => {
    const { model, log } = await ask(code);
    expect(model).toBeUndefined();
    expect(log).toContain(words);
  });

  it('the environment is empty, and a name that is asked for is reported once', async () => {
    const code = `process.env.OPENAI_API_KEY; process.env.NODE_ENV; return [Object.keys(process.env).length, process.env.OPENAI_API_KEY, process.env.HOME];`;
    const { model, log } = await ask(code, {}, { start: { environment: { OPENAI_API_KEY: 'secret', HOME: '/root' } } });
    expect(model).toBe('got 0,,');
    const words =
      'reading the environment variable OPENAI_API_KEY is refused: it is not granted the capability "env" (plugins[].capabilities.env: ["OPENAI_API_KEY"])';
    expect(log.split(words)).toHaveLength(2);
    expect(log).not.toContain('NODE_ENV');
  });

  it('in its module a refusal is what the load says', async () => {
    const source = `import { DatabaseSync } from 'node:sqlite'; export default { name: 'p', init() { new DatabaseSync('/tmp/x'); } };`;
    await expect(remotePlugin('process', source)).rejects.toThrow('plugin p: using node:sqlite is refused');
  });
});

describe('a grant', () => {
  it('of files opens these and no others', async () => {
    using folder = pluginFolder({ 'in/a.txt': 'A', 'out/b.txt': 'B', 'w/keep': '' });
    const read = (file: string): string =>
      `return (await import('node:fs')).readFileSync(${JSON.stringify(join(folder.path, file))}, 'utf8');`;
    const grants = { fs: { read: [`${folder.path}/in/`], write: [`${folder.path}/w/`] } };
    expect((await ask(read('in/a.txt'), grants)).model).toBe('got A');
    expect((await ask(read('out/b.txt'), grants)).log).toContain('out/b.txt is refused');
    const file = join(folder.path, 'w/new.txt');
    await ask(`(await import('node:fs')).writeFileSync(${JSON.stringify(file)}, 'written');`, grants);
    expect(readFileSync(file, 'utf8')).toBe('written');
  });

  it('of names of the environment shows these', async () => {
    const options = { start: { environment: { A: '1', B: '2' } } };
    const { model } = await ask(`return JSON.stringify(process.env);`, { env: ['A', 'C'] }, options);
    expect(model).toBe('got {"A":"1"}');
  });

  it('of programs starts them, with nothing of the environment', async () => {
    const code = `return (await import('node:child_process')).execFileSync('/usr/bin/env').toString().trim();`;
    const { model } = await ask(code, { childProcess: true });
    expect(model).not.toContain('PATH=/');
  });

  it('of threads, sqlite and native code opens them', async () => {
    const thread = `const { Worker } = await import('node:worker_threads'); return new Promise((resolve) => new Worker('require("node:worker_threads").parentPort.postMessage(7)', { eval: true }).on('message', resolve));`;
    expect((await ask(thread, { workerThreads: true })).model).toBe('got 7');
    const sqlite = `const { DatabaseSync } = await import('node:sqlite'); return Object.values(new DatabaseSync(':memory:').prepare('select 1 + 1 as n').get());`;
    expect((await ask(sqlite, { sqlite: true })).model).toBe('got 2');
    const native = `const { functions } = (await import('node:ffi')).dlopen(null, { abs: { arguments: ['i32'], return: 'i32' } }); return functions.abs(-3);`;
    expect((await ask(native, { native: true })).model).toBe('got 3');
  });

  it('with a "*" in a path is refused, as it would mean more than it says', async () => {
    const entry = { capabilities: { fs: { read: ['/tmp/*'] } } };
    await expect(remotePlugin('process', answering(''), { entry })).rejects.toThrow(
      'capabilities.fs: "/tmp/*" has a "*"',
    );
  });
});

describe('a grant of the network', () => {
  it('connects fetch, http, sockets to the host granted, and to no other', async () => {
    const server = createServer((incoming, response) => response.end(`hello ${incoming.url}`));
    const port = await listening(server);
    const grants = { net: [`127.0.0.1:${port}`] };
    const url = `http://127.0.0.1:${port}`;
    expect((await ask(`return (await fetch('${url}/a')).text();`, grants)).model).toBe('got hello /a');
    const http = `const http = await import('node:http'); return new Promise((resolve, reject) => http.get('${url}/b', (r) => r.setEncoding('utf8').on('data', resolve)).on('error', reject));`;
    expect((await ask(http, grants)).model).toBe('got hello /b');
    const twice = `return (await Promise.all(['1', '2', '3'].map((n) => fetch('${url}/' + n).then((r) => r.text())))).join();`;
    expect((await ask(twice, grants)).model).toBe('got hello /1,hello /2,hello /3');
    const { log } = await ask(`return (await fetch('http://127.0.0.1:${port + 1}/')).text();`, grants);
    expect(log).toContain(`a connection to 127.0.0.1:${port + 1} is refused`);
    // A name is not its address.
    expect((await ask(`return (await fetch('http://localhost:${port}/')).text();`, grants)).log).toContain(
      'is refused',
    );
    server.close();
  });

  it('loses no byte of a server that speaks first, and ends with the connection', async () => {
    const server = createTcpServer((socket) => {
      socket.write('220 hello\r\n');
      socket.once('data', (data) => socket.end(`you said ${String(data)}`));
    });
    const port = await listening(server);
    const code = `const net = await import('node:net'); const socket = new net.Socket(); let text = '';
      socket.connect(${port}, '127.0.0.1'); socket.setEncoding('utf8'); socket.on('data', (d) => { if (text === '') socket.write('EHLO'); text += d; });
      await new Promise((resolve) => socket.on('close', resolve)); return text + [socket.destroyed, socket.errored];`;
    expect((await ask(code, { net: [`127.0.0.1:${port}`] })).model).toBe('got 220 hello\r\nyou said EHLOtrue,');
    server.close();
  });

  it('speaks TLS by name, with the checks of TLS in the plugin', async () => {
    using folder = pluginFolder();
    const [key, certificate] = [join(folder.path, 'key.pem'), join(folder.path, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-keyout',
        key,
        '-out',
        certificate,
        ...subject,
      ],
      { stdio: 'ignore' },
    );
    const ca = readFileSync(certificate, 'utf8');
    const server = createTlsServer({ key: readFileSync(key), cert: ca }, (_incoming, response) =>
      response.end('secret hello'),
    );
    const port = await listening(server);
    const get = (host: string, options: string): string =>
      `const https = await import('node:https'); return new Promise((resolve, reject) => https.get({ host: '${host}', port: ${port}, ${options} }, (r) => r.setEncoding('utf8').on('data', resolve)).on('error', reject));`;
    const grants = { net: ['localhost', '127.0.0.1'] };
    expect((await ask(get('localhost', `ca: ${JSON.stringify(ca)}`), grants)).model).toBe('got secret hello');
    expect((await ask(get('localhost', ''), grants)).log).toMatch(/self-signed certificate/);
    expect((await ask(get('127.0.0.1', `ca: ${JSON.stringify(ca)}`), grants)).log).toMatch(
      /does not match certificate/,
    );
    server.close();
  });

  it('tells of servers that are not there', async () => {
    const server = createTcpServer();
    const port = await listening(server);
    server.close();
    const { log } = await ask(`return (await fetch('http://127.0.0.1:${port}/')).text();`, { net: ['127.0.0.1'] });
    expect(log).toContain('fetch failed');
  });
});

describe('what a plugin in a process may read of itself', () => {
  const start = async (files: Record<string, string>, main: string): Promise<string> => {
    const { [main]: source = '', ...others } = files;
    const entry = {};
    const folder = { fileName: main, files: others, entry };
    await using fixture = await remotePlugin('process', source, folder);
    return (await fixture.open().preRequest(request))?.model ?? fixture.lines.join('\n');
  };

  it('is the code that it imports, beside and below it', async () => {
    const files = {
      'plugin.ts': `import { a } from './lib/a.ts'; const { b } = await import('./b.mjs'); export default { name: 'p', preRequestHook: () => ({ model: a + b }) };`,
      'lib/a.ts': `import { c } from '../c.ts'; export const a: string = 'a' + c;`,
      'c.ts': `export const c = 'c';`,
      'b.mjs': `export const b = 'b';`,
    };
    expect(await start(files, 'plugin.ts')).toBe('acb');
  });

  it('is not what lies beside it', async () => {
    const files = {
      'plugin.mjs': `import { readFileSync } from 'node:fs'; export default { name: 'p', preRequestHook: () => ({ model: readFileSync(new URL('./config.json', import.meta.url), 'utf8') }) };`,
      'config.json': '{"key":"secret"}',
    };
    expect(await start(files, 'plugin.mjs')).toContain('config.json is refused');
  });

  it('is its whole folder where that is its own', async () => {
    const files = {
      'plugin.mjs': `import { readFileSync } from 'node:fs'; export default { name: 'p', preRequestHook: () => ({ model: readFileSync(new URL('./data.json', import.meta.url), 'utf8') }) };`,
      'data.json': '{}',
      'package.json': '{"name":"p","type":"module"}',
    };
    expect(await start(files, 'plugin.mjs')).toBe('{}');
  });

  it('is nothing that a link in its folder leads to', async () => {
    using folder = pluginFolder({
      'secret.json': '{"key":"secret"}',
      'p/package.json': '{"name":"p","type":"module"}',
      'p/plugin.mjs': `import { readFileSync } from 'node:fs'; export default { name: 'p', preRequestHook: () => ({ model: readFileSync(new URL('./lib/up/data.json', import.meta.url), 'utf8') }) };`,
      'p/lib/data.json': '{"own":1}',
    });
    const link = join(folder.path, 'p/lib/up');
    const file = join(folder.path, 'p/plugin.mjs');
    const begin = () => remotePlugin('process', '', { start: { artefact: { file, kind: 'module' } } });
    symlinkSync('../..', link);
    await expect(begin()).rejects.toThrow(`its folder holds what leads out of it (lib/up -> ${folder.path})`);
    rmSync(link);
    symlinkSync('../../secret.json', link);
    await expect(begin()).rejects.toThrow(`(lib/up -> ${folder.path}/secret.json)`);
    rmSync(link);
    // Inside the folder they are of no harm, nor where they lead nowhere.
    symlinkSync('.', link);
    symlinkSync('me@here.123', join(folder.path, 'p/.#plugin.mjs'));
    await using fixture = await begin();
    expect((await fixture.open().preRequest(request))?.model).toBe('{"own":1}');
  });

  it('are packages that are installed for it', async () => {
    const files = {
      'plugins/p/plugin.mjs': `import { value } from 'a-package'; import { definePlugin } from '@bifrost/sdk'; export default definePlugin({ name: 'p', preRequestHook: () => ({ model: value }) });`,
      'node_modules/a-package/package.json': '{"name":"a-package","type":"module","exports":"./main.js"}',
      'node_modules/a-package/main.js': `export const value = 'from a package';`,
    };
    expect(await start(files, 'plugins/p/plugin.mjs')).toBe('from a package');
  });

  it('is no code above its folder: the load says so', async () => {
    const files = {
      'p/plugin.mjs': `import '../shared.mjs'; export default { name: 'p', preRequestHook() {} };`,
      'shared.mjs': 'export {};',
    };
    await expect(start(files, 'p/plugin.mjs')).rejects.toThrow(
      'shared.mjs is refused: it is not granted the capability "fs.read"',
    );
  });

  it('is nothing of a folder that holds the configuration, whatever manifests lie in it', async () => {
    using folder = pluginFolder({ 'config.json': '{"key":"secret"}', 'package.json': '{}' });
    const source = `import { readFileSync } from 'node:fs'; export default { name: 'p', preRequestHook: () => ({ model: readFileSync(${JSON.stringify(join(folder.path, 'config.json'))}, 'utf8') }) };`;
    mkdirSync(join(folder.path, 'x'));
    writeFileSync(join(folder.path, 'x/plugin.mjs'), source);
    const file = join(folder.path, 'x/plugin.mjs');
    await using fixture = await remotePlugin('process', source, {
      start: { artefact: { file, kind: 'module' }, sharedDirectories: [folder.path] },
    });
    expect(await fixture.open().preRequest(request)).toBeUndefined();
    expect(fixture.lines.join('\n')).toContain('config.json is refused');
  });
});
