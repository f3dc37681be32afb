import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startPluginServer } from './__tests__/plugin-server.ts';
import type { Answer, PluginServer } from './__tests__/plugin-server.ts';
import { writeTgz } from './__tests__/tar.ts';
import { sha256Of, toIntegrity } from './download/integrity.ts';
import { resolveArtefact } from './resolve-artefact.ts';
import type { CheckedArtefact, ResolveOptions } from './resolve-artefact.ts';
import { storeUpload } from './supply-artefact.ts';
import type { ArtefactEntry } from './supply-artefact.ts';
import type { DownloadOptions } from './download/fetch-artefact.ts';

const code = Buffer.from('export const preLLMHook = () => {};');
const send =
  (body: Uint8Array, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(200, headers).end(body);

let server: PluginServer;
let folder: string;
beforeAll(async () => {
  server = await startPluginServer();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bifrost-download-'));
  server.answers.clear();
  server.asked.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function options(download: Partial<DownloadOptions> = {}): ResolveOptions {
  return {
    baseDirectory: folder,
    workingDirectory: folder,
    pluginDirectory: join(folder, 'plugins'),
    download: {
      certificateAuthority: server.certificate,
      privateHosts: ['plugins.example'],
      resolveHost: async () => ['127.0.0.1'],
      timeoutMs: 5000,
      ...download,
    },
  };
}

function fetchOne(
  path: string,
  bytes: Uint8Array = code,
  download: Partial<DownloadOptions> = {},
): Promise<CheckedArtefact> {
  const url = path.startsWith('/') ? server.origin() + path : path;
  return resolveArtefact({ name: 'p', path: url, sha256: sha256Of(bytes) }, options(download));
}

async function refusal(promise: Promise<unknown>): Promise<{ readonly code: string; readonly message: string }> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: expect.stringMatching(/^BF_PLUGIN_/) as unknown });
  return error as { readonly code: string; readonly message: string };
}

describe('a plugin at an https URL', () => {
  it('is fetched, compared with its digest, and kept so that no one else reads it', async () => {
    server.answers.set('/p.mjs', send(code, { 'content-type': 'text/html' }));
    const found = await fetchOne('/p.mjs?token=secret');
    expect(found).toMatchObject({ kind: 'module', source: 'https', digest: sha256Of(code) });
    expect(found.file).toMatch(/p\.mjs$/);
    expect(readFileSync(found.file)).toEqual(code);
    expect(statSync(found.file).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'plugins/cache')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(folder, 'plugins/cache'))).toHaveLength(1);
  });

  it('is fetched once, and used without the server afterwards', async () => {
    server.answers.set('/p.mjs', send(code));
    const first = await fetchOne('/p.mjs');
    server.answers.clear();
    expect(await fetchOne('/p.mjs')).toEqual(first);
    expect(server.asked).toEqual(['/p.mjs']);
  });

  it('is fetched again when what was kept has been changed', async () => {
    server.answers.set('/p.mjs', send(code));
    const { file } = await fetchOne('/p.mjs');
    writeFileSync(file, 'export const evil = 1;');
    expect(readFileSync((await fetchOne('/p.mjs')).file)).toEqual(code);
    expect(server.asked).toHaveLength(2);
  });

  it('is fetched by several at once without harm', async () => {
    server.answers.set('/p.mjs', send(code));
    const all = await Promise.all(Array.from({ length: 8 }, () => fetchOne('/p.mjs')));
    expect(new Set(all.map(({ file }) => file)).size).toBe(1);
    expect(readFileSync(all[0]?.file ?? '')).toEqual(code);
    expect(readdirSync(join(folder, 'plugins/cache'))).toHaveLength(1);
  });

  it('takes integrity in the place of sha256', async () => {
    server.answers.set('/p.mjs', send(code));
    const entry: ArtefactEntry = {
      name: 'p',
      path: `${server.origin()}/p.mjs`,
      integrity: toIntegrity(sha256Of(code)),
    };
    expect((await resolveArtefact(entry, options())).digest).toBe(sha256Of(code));
  });

  it('needs a digest, and is not even asked for without one', async () => {
    const { code: name, message } = await refusal(
      resolveArtefact({ name: 'p', path: `${server.origin()}/p.mjs?t=1` }, options()),
    );
    expect(name).toBe('BF_PLUGIN_DIGEST_REQUIRED');
    expect(message).not.toContain('t=1');
    expect(server.asked).toEqual([]);
  });

  it('with another digest is not kept, and both digests are named', async () => {
    server.answers.set('/p.mjs', send(Buffer.from('evil')));
    const { code: name, message } = await refusal(fetchOne('/p.mjs'));
    expect(name).toBe('BF_PLUGIN_DIGEST_MISMATCH');
    expect(message).toContain(sha256Of(code));
    expect(message).toContain(sha256Of(Buffer.from('evil')));
    expect(existsSync(join(folder, 'plugins/cache'))).toBe(false);
  });

  it('is not taken when it is larger than allowed, whether the server says so or not', async () => {
    const large = Buffer.alloc(3000, 0x20);
    server.answers.set('/stated.mjs', send(large, { 'content-length': '3000' }));
    server.answers.set('/streamed.mjs', (response) => {
      response.writeHead(200);
      response.write(large.subarray(0, 1500));
      response.end(large.subarray(1500));
    });
    for (const path of ['/stated.mjs', '/streamed.mjs']) {
      expect((await refusal(fetchOne(path, large, { maxBytes: 2000 }))).code).toBe('BF_PLUGIN_ARTEFACT_TOO_LARGE');
    }
  });

  it('is given up when the server breaks off, or does not end in time', async () => {
    server.answers.set('/broken.mjs', (response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    });
    server.answers.set('/slow.mjs', (response) => {
      response.writeHead(200);
      response.write('half');
    });
    expect((await refusal(fetchOne('/broken.mjs'))).message).toContain('broke off after 4 bytes');
    expect((await refusal(fetchOne('/slow.mjs', code, { timeoutMs: 300 }))).message).toContain(
      'did not end within 0.3 s',
    );
  });

  it('may be redirected five times, not more', async () => {
    const to =
      (location: string): Answer =>
      (response) =>
        void response.writeHead(302, { location }).end();
    for (let hop = 0; hop < 6; hop++) server.answers.set(`/${hop}.mjs`, to(`/${hop + 1}.mjs`));
    server.answers.set('/6.mjs', send(code));
    expect((await fetchOne('/1.mjs')).digest).toBe(sha256Of(code));
    rmSync(join(folder, 'plugins'), { recursive: true });
    expect((await refusal(fetchOne('/0.mjs'))).message).toContain('redirected more than 5 times');
  });

  it.each([
    ['http', 'http://plugins.example/p.mjs', 'over https only'],
    ['a file', 'file:///etc/passwd', 'over https only'],
    [
      'another host with a private address',
      'https://other.example/p.mjs',
      'leads to 127.0.0.1, which is not a public address',
    ],
    ['the address of a metadata service', 'https://169.254.169.254/latest', 'leads to 169.254.169.254'],
  ])('is not followed by a redirect to %s', async (_what, location, message) => {
    server.answers.set('/p.mjs', (response) => void response.writeHead(307, { location }).end());
    const error = await refusal(fetchOne('/p.mjs'));
    expect(error.code).toBe('BF_PLUGIN_DOWNLOAD_REFUSED');
    expect(error.message).toContain(message);
  });

  it.each([
    ['loopback', '127.0.0.1'],
    ['private', '10.0.0.8'],
    ['carrier-grade NAT', '100.64.1.1'],
    ['link-local', '169.254.169.254'],
    ['IPv6 loopback', '::1'],
    ['unique local', 'fd00::1'],
    ['a mapped loopback', '::ffff:127.0.0.1'],
    ['6to4 of a private address', '2002:a00:1::1'],
    ['NAT64 of a metadata service', '64:ff9b::a9fe:a9fe'],
    ['unspecified', '0.0.0.0'],
    ['multicast', '224.0.0.1'],
    ['Teredo', '2001::1'],
  ])('is refused when one of its addresses is %s (%s), and no connection is made', async (_what, address) => {
    const resolveHost = async (): Promise<readonly string[]> => ['93.184.215.14', address];
    const error = await refusal(fetchOne(`${server.origin('evil.example')}/p.mjs`, code, { resolveHost }));
    expect(error.code).toBe('BF_PLUGIN_DOWNLOAD_REFUSED');
    expect(error.message).toContain(`leads to ${address}`);
    expect(server.asked).toEqual([]);
  });

  it('may come from a private host of the operator, but never from link-local addresses', async () => {
    server.answers.set('/p.mjs', send(code));
    await expect(fetchOne('/p.mjs')).resolves.toBeDefined();
    const resolveHost = async (): Promise<readonly string[]> => ['169.254.169.254'];
    rmSync(join(folder, 'plugins'), { recursive: true });
    expect((await refusal(fetchOne('/p.mjs', code, { resolveHost }))).code).toBe('BF_PLUGIN_DOWNLOAD_REFUSED');
  });

  it('is resolved once for each hop, so that a second answer cannot lead elsewhere', async () => {
    server.answers.set('/p.mjs', send(code));
    let times = 0;
    const resolveHost = async (): Promise<readonly string[]> => [times++ === 0 ? '127.0.0.1' : '10.0.0.1'];
    await expect(fetchOne('/p.mjs', code, { resolveHost })).resolves.toBeDefined();
    expect(times).toBe(1);
  });

  it.each([
    ['no https', 'http://plugins.example/p.mjs', 'BF_PLUGIN_DOWNLOAD_REFUSED', 'over https only'],
    ['a password', 'https://me:pw@plugins.example/p.mjs', 'BF_PLUGIN_DOWNLOAD_REFUSED', 'has a user or password in it'],
    ['another scheme', 'ftp://plugins.example/p.mjs', 'BF_PLUGIN_DOWNLOAD_REFUSED', 'over https only'],
  ])('is refused with %s', async (_what, url, name, message) => {
    const error = await refusal(fetchOne(url));
    expect(error).toMatchObject({ code: name, message: expect.stringContaining(message) as unknown });
    expect(error.message).not.toContain('pw@');
  });

  it('is refused from a server whose certificate nobody vouches for', async () => {
    const { certificateAuthority: _, ...rest } = options().download ?? {};
    const entry = { name: 'p', path: `${server.origin()}/p.mjs`, sha256: sha256Of(code) };
    expect((await refusal(resolveArtefact(entry, { ...options(), download: rest }))).message).toMatch(
      /was not reached: self.signed certificate/,
    );
  });

  it('says what the server answered', async () => {
    expect((await refusal(fetchOne('/gone.mjs'))).message).toMatch(/gone\.mjs answered 404, expected 200/);
  });

  it('is refused where there is no folder to keep it', async () => {
    const { pluginDirectory: _, ...rest } = options();
    expect(
      (await refusal(resolveArtefact({ name: 'p', path: `${server.origin()}/p.mjs`, sha256: sha256Of(code) }, rest)))
        .message,
    ).toContain('no folder to keep downloads in');
  });
});

describe('an archive at an https URL', () => {
  const manifest = JSON.stringify({
    name: 'p',
    version: '1.0.0',
    api: '1',
    main: 'dist/p.mjs',
    integrity: toIntegrity(sha256Of(code)),
  });
  const packed = writeTgz([
    { path: 'package/bifrost-plugin.json', content: manifest },
    { path: 'package/dist/', type: '5' },
    { path: 'package/dist/p.mjs', content: code },
  ]);

  it('is unpacked, and its manifest says what to load', async () => {
    server.answers.set('/p.tgz', send(packed));
    const found = await fetchOne('/p.tgz', packed);
    expect(found).toMatchObject({ kind: 'module', source: 'https', digest: sha256Of(code), manifest: { name: 'p' } });
    expect(readFileSync(found.file)).toEqual(code);
    expect(await fetchOne('/other-name.tgz', packed)).toEqual(found);
    expect(server.asked).toEqual(['/p.tgz']);
  });

  it('is fetched again when a file of it was changed', async () => {
    server.answers.set('/p.tgz', send(packed));
    const { directory, file } = await fetchOne('/p.tgz', packed);
    writeFileSync(join(directory, 'bifrost-plugin.json'), manifest.replace('1.0.0', '6.6.6'));
    expect((await fetchOne('/p.tgz', packed)).manifest?.version).toBe('1.0.0');
    expect(readFileSync(file)).toEqual(code);
  });

  it.each([
    [
      'a link in it',
      writeTgz([
        { path: 'package.json', content: '{}' },
        { path: 'a', type: '2', linkTarget: '/etc' },
      ]),
      'a link (a)',
    ],
    ['a way out', writeTgz([{ path: '../../bifrost-plugin.json', content: manifest }]), 'which may lead elsewhere'],
    ['no manifest', writeTgz([{ path: 'p.mjs', content: code }]), 'neither bifrost-plugin.json nor package.json'],
    ['damage', packed.subarray(0, packed.length - 20), 'damaged compressed data'],
  ])('is refused with %s, and nothing is written', async (_what, bytes, message) => {
    server.answers.set('/p.tgz', send(bytes));
    const error = await refusal(fetchOne('/p.tgz', bytes));
    expect(error).toMatchObject({
      code: 'BF_PLUGIN_ARCHIVE_INVALID',
      message: expect.stringContaining(message) as unknown,
    });
    expect(existsSync(join(folder, 'plugins/cache')) ? readdirSync(join(folder, 'plugins/cache')) : []).toEqual([]);
  });

  it('that grows beyond all bounds is not unpacked', async () => {
    const bomb = writeTgz([
      { path: 'package.json', content: '{}' },
      { path: 'a', content: Buffer.alloc(257 * 1024 * 1024) },
    ]);
    server.answers.set('/p.tgz', send(bomb));
    expect((await refusal(fetchOne('/p.tgz', bomb))).message).toContain('more than 268435456 bytes unpacked');
  });
});

describe('an uploaded plugin', () => {
  it('is kept by its digest and resolved like a file', async () => {
    const stored = await storeUpload('p', { bytes: code, fileName: '../../p q.mjs' }, join(folder, 'plugins'));
    expect(stored.path).toContain(join(folder, 'plugins/uploads'));
    expect(stored.path).toMatch(/p_q\.mjs$/);
    expect(await resolveArtefact({ name: 'p', path: stored.path }, options())).toMatchObject({
      kind: 'module',
      source: 'upload',
      digest: stored.sha256,
    });
  });

  it('is unpacked where it is an archive, and held against the digest of what came', async () => {
    const plugins = join(folder, 'plugins');
    const packed = writeTgz([
      { path: 'package/package.json', content: '{ "name": "p", "version": "1.0.0", "exports": "./p.mjs" }' },
      { path: 'package/p.mjs', content: code },
    ]);
    const { path, sha256 } = await storeUpload('p', { bytes: packed, fileName: 'p-1.0.0.tgz' }, plugins);
    const entry = { name: 'p', path, sha256 };
    expect(await resolveArtefact(entry, options())).toMatchObject({ kind: 'module', source: 'upload' });
    writeFileSync(join(path, 'p.mjs'), `${code.toString()}\n// changed`);
    expect((await refusal(resolveArtefact(entry, options()))).code).toBe('BF_PLUGIN_DIGEST_MISMATCH');
  });

  it('is refused as an archive that leads out', async () => {
    const bytes = writeTgz([{ path: '../x' }]);
    expect((await refusal(storeUpload('p', { bytes, fileName: 'p.tgz' }, folder))).code).toBe(
      'BF_PLUGIN_ARCHIVE_INVALID',
    );
  });

  it('keeps two names of the same bytes apart', async () => {
    const [a, b] = [
      await storeUpload('p', { bytes: code, fileName: 'a.mjs' }, folder),
      await storeUpload('p', { bytes: code, fileName: 'b.js' }, folder),
    ];
    expect([existsSync(a.path), existsSync(b.path)]).toEqual([true, true]);
  });
});
