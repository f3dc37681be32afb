/** Plugins on other machines, over TLS, with authorities made for the test. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pluginFolder } from '../../__tests__/plugin-folder.ts';
import type { GrpcTlsSettings } from '../../plugin-entry.ts';
import { collectingLog, TestSession } from './__tests__/grpc-session.ts';
import { pluginService } from './plugin-service.ts';
import { startGrpcEntry } from './start-entry.ts';

const openssl = '/usr/bin/openssl';
const folder = pluginFolder();
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.forceShutdown();
  folder[Symbol.dispose]();
});

const make = (...args: readonly string[]): void => {
  execFileSync(openssl, args, { cwd: folder.path, stdio: 'ignore' });
};
const pem = (name: string): Buffer => readFileSync(join(folder.path, name));

/** An authority, and certificates of it: for a server with its names, and for a client. */
function makeAuthority(name: string): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  make('req', '-x509', ...key, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.pem`);
  for (const [leaf, names] of [
    ['server', 'subjectAltName=DNS:plugins.test,DNS:localhost'],
    ['client', 'subjectAltName=DNS:gateway.test'],
  ] as const) {
    const file = `${name}-${leaf}`;
    folder.write({ [`${file}.ext`]: names });
    make('req', ...key.slice(0, 5), '-subj', `/CN=${leaf}`, '-keyout', `${file}.key`, '-out', `${file}.csr`);
    const issuer = ['-CA', `${name}.pem`, '-CAkey', `${name}.key`, '-CAcreateserial', '-days', '2'];
    make('x509', '-req', '-in', `${file}.csr`, ...issuer, '-extfile', `${file}.ext`, '-out', `${file}.pem`);
  }
}

async function serve(isClientAsked: boolean): Promise<string> {
  const server = new Server();
  servers.push(server);
  type Reply = (error: object | null, value?: object) => void;
  server.addService(pluginService, {
    describe: (_: object, reply: Reply) =>
      reply(null, { description: '{"name":"far","api":"1","hooks":{"preRequestHook":{}}}', protocol: 1 }),
    init: (_: object, reply: Reply) => reply(null, {}),
    cleanup: (_: object, reply: Reply) => reply(null, {}),
    logs: () => undefined,
    session: (session: NodeJS.EventEmitter & { write(value: object): void }) => {
      session.on('data', ({ messages }: { messages: { call: { call: number } }[] }) => {
        for (const { call } of messages)
          session.write({ messages: [{ reply: { call: call.call, result: '{"model":"over-tls"}' } }] });
      });
    },
  } as never);
  const own = { private_key: pem('ours-server.key'), cert_chain: pem('ours-server.pem') };
  const credentials = ServerCredentials.createSsl(isClientAsked ? pem('ours.pem') : null, [own], isClientAsked);
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
      if (error === null) resolve(`https://localhost:${port}`);
      else reject(error);
    });
  });
}

const start = (address: string, tls?: GrpcTlsSettings) => {
  const grpc = { address, ...(tls === undefined ? {} : { tls }) };
  const entry = { name: 'p', enabled: true, isolation: 'grpc', grpc } as const;
  const { log } = collectingLog();
  const shared = new SharedArrayBuffer(4);
  const given = { entry, artefact: undefined, load: 1, log, shared, directory: folder.path };
  return startGrpcEntry(given, { environment: {}, initTimeoutMs: 1500 });
};

describe.skipIf(!existsSync(openssl))('a plugin on another machine', () => {
  beforeAll(() => {
    makeAuthority('ours');
    makeAuthority('theirs');
  });

  it('is called over TLS where its certificate is of the authority that the entry names', async () => {
    const plugin = await start(await serve(false), { ca: 'ours.pem' });
    using session = await TestSession.of(plugin);
    expect(await session.call('preRequestHook', { model: 'm' })).toMatchObject({ value: { model: 'over-tls' } });
    await plugin.close();
  });

  it.each([
    ['no authority is named: the system knows it not', undefined],
    ['it is of another authority', { ca: 'theirs.pem' }],
    ['it has another name', { ca: 'ours.pem', serverName: 'elsewhere.test' }],
  ])('is not called where %s', async (_, tls) => {
    await expect(start(await serve(false), tls)).rejects.toThrow(/no connection to https:\/\/localhost:\d+ within/);
  });

  it('is called by the name that its certificate has', async () => {
    const plugin = await start(await serve(false), { ca: 'ours.pem', serverName: 'plugins.test' });
    await plugin.close();
  });

  it('is reached at an IP address by the name of its certificate, which has to be stated', async () => {
    const address = (await serve(false)).replace('localhost', '127.0.0.1');
    await expect(start(address, { ca: 'ours.pem' })).rejects.toThrow(
      /state the one of its certificate as tls\.server_name/,
    );
    const plugin = await start(address, { ca: 'ours.pem', serverName: 'plugins.test' });
    await plugin.close();
  });

  it('lets in the gateway by a certificate of its authority, and nobody else', async () => {
    const address = await serve(true);
    const own = { ca: 'ours.pem', cert: 'ours-client.pem', key: 'ours-client.key' };
    const plugin = await start(address, own);
    using session = await TestSession.of(plugin);
    expect(await session.call('preRequestHook', { model: 'm' })).toMatchObject({ value: { model: 'over-tls' } });
    await plugin.close();
    await expect(start(address, { ca: 'ours.pem' })).rejects.toThrow(/^plugin p: /);
    const foreign = { ...own, cert: 'theirs-client.pem', key: 'theirs-client.key' };
    await expect(start(address, foreign)).rejects.toThrow(/^plugin p: /);
  });

  it.each([
    ['a file that is not there', { ca: 'gone.pem' }, /tls\.ca: .*gone\.pem cannot be read \(ENOENT\)/],
    ['a certificate without its key', { cert: 'ours-client.pem' }, /`cert` and `key` go together/],
    ['what is no certificate', { ca: 'ours-server.ext' }, /no connection|not PEM certificates/],
    ["another's key", { cert: 'ours-client.pem', key: 'theirs-client.key' }, /not PEM certificates with the key/],
  ])('is refused with %s, and no key is told', async (_, tls, message) => {
    const failed = await start(await serve(false), tls).then(
      () => '',
      (error: unknown) => String(error),
    );
    expect(failed).toMatch(message);
    expect(failed).not.toContain('PRIVATE');
  });
});
