import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pluginFolder } from '../__tests__/plugin-folder.ts';
import type { PluginFolder } from '../__tests__/plugin-folder.ts';
import { filesBeside } from './bound-files.ts';
import { sha256Of, toIntegrity } from './download/integrity.ts';
import { resolveArtefact } from './resolve-artefact.ts';
import type { ArtefactEntry } from './supply-artefact.ts';
import { generateSigningKeys, signManifest } from './signature/sign-manifest.ts';

const keys = generateSigningKeys();
const trust = { keys: { acme: keys.publicKey }, isSignatureRequired: true };
const main = "import { word } from './lib/word.mjs'; export default { name: 'p', preRequestHook() { return word; } };";

/** A plugin of two files; its manifest names both, and is signed. */
async function signedFolder({ hasFiles = true, hasOthers = true } = {}): Promise<PluginFolder> {
  const folder = pluginFolder({ 'p.mjs': main });
  if (hasOthers) folder.write({ 'lib/word.mjs': "export const word = 'a';" });
  const integrity = toIntegrity(sha256Of(Buffer.from(main)));
  const base = { name: 'p', version: '1.0.0', api: '1', main: 'p.mjs', integrity };
  const files = await filesBeside('p', folder.path, 'p.mjs');
  const manifest = signManifest(hasFiles ? { ...base, files } : base, { id: 'acme', privateKey: keys.privateKey });
  folder.write({ 'bifrost-plugin.json': JSON.stringify(manifest) });
  return folder;
}

const resolve = (folder: PluginFolder, more: Partial<ArtefactEntry> = {}, isTrusted = true) =>
  resolveArtefact(
    { name: 'p', path: folder.path, ...more },
    { baseDirectory: folder.path, workingDirectory: folder.path, ...(isTrusted ? { trust } : {}) },
  );

const digestOf = (folder: PluginFolder, file: string): string => sha256Of(readFileSync(join(folder.path, file)));

describe('a signed folder', () => {
  it('is taken as it was signed', async () => {
    using folder = await signedFolder();
    expect(await resolve(folder)).toMatchObject({ kind: 'module', digest: sha256Of(Buffer.from(main)) });
  });

  it.each([
    [
      'a file that was changed',
      (folder: PluginFolder) => folder.write({ 'lib/word.mjs': 'evil' }),
      'lib/word.mjs was changed',
    ],
    [
      'a file that came later',
      (folder: PluginFolder) => folder.write({ 'lib/new.mjs': '' }),
      'lib/new.mjs is not named in it',
    ],
    [
      'a hidden file',
      (folder: PluginFolder) => folder.write({ 'node_modules/.x/i.js': '' }),
      'node_modules/.x/i.js is not named',
    ],
    [
      'a link that leads elsewhere',
      (folder: PluginFolder) => symlinkSync('/etc', join(folder.path, 'lib/etc')),
      'lib/etc is no regular file',
    ],
    [
      'a list that was changed with the file',
      (folder: PluginFolder) => {
        const file = 'bifrost-plugin.json';
        folder.write({ 'lib/word.mjs': 'evil' });
        const text = readFileSync(join(folder.path, file), 'utf8');
        const manifest = JSON.parse(text) as { files: Record<string, string> };
        manifest.files['lib/word.mjs'] = toIntegrity(sha256Of(Buffer.from('evil')));
        folder.write({ [file]: JSON.stringify(manifest) });
      },
      'the signature of its manifest by "acme" does not fit',
    ],
  ])('is refused with %s', async (_, change, message) => {
    using folder = await signedFolder();
    change(folder);
    await expect(resolve(folder)).rejects.toThrow(message);
  });

  it('is refused where its signature leaves out files that it may load, also where none is asked for', async () => {
    using folder = await signedFolder({ hasFiles: false });
    await expect(resolve(folder, {}, false)).rejects.toThrow(/binds p\.mjs alone, but there is also lib\/word\.mjs/);
    using alone = await signedFolder({ hasFiles: false, hasOthers: false });
    expect(await resolve(alone)).toMatchObject({ kind: 'module' });
  });
});

describe('a digest in an entry', () => {
  it('is that of the manifest where the manifest binds more files than one', async () => {
    using folder = await signedFolder();
    const sha256 = digestOf(folder, 'bifrost-plugin.json');
    expect(await resolve(folder, { sha256 })).toMatchObject({ kind: 'module' });
    await expect(resolve(folder, { sha256: digestOf(folder, 'p.mjs') })).rejects.toThrow(
      /bifrost-plugin\.json has the SHA-256/,
    );
  });

  it('is refused where it would leave code out: beside a manifest, and of a file that imports others', async () => {
    using folder = pluginFolder({ 'p.mjs': main, 'lib/word.mjs': "export const word = 'a';", 'one.mjs': 'export {};' });
    const path = join(folder.path, 'p.mjs');
    const refused = resolve(folder, { path, sha256: digestOf(folder, 'p.mjs') }, false);
    await expect(refused).rejects.toMatchObject({
      code: 'BF_PLUGIN_DIGEST_PARTIAL',
      message: expect.stringMatching(/p\.mjs alone, but there is also lib\/word\.mjs/),
    });
    const one = join(folder.path, 'one.mjs');
    expect(await resolve(folder, { path: one, sha256: digestOf(folder, 'one.mjs') }, false)).toMatchObject({
      file: one,
    });
  });
});
