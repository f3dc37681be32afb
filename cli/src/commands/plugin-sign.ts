import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { filesBeside, sha256Of, signManifest, toIntegrity } from '@bifrost/framework/artefacts';
import { CommandFailure } from '../command-failure.ts';
import type { Command } from '../command.ts';
import { readManifestFile, writeManifestFile } from '../plugin/manifest-file.ts';
import { readPrivateKey } from '../plugin/read-key.ts';
import { UsageError } from '../usage-error.ts';
import { pathPositional } from './plugin-check.ts';

export const pluginSign: Command = {
  name: 'plugin sign',
  summary: 'signs a plugin that was built',
  positionals: [pathPositional],
  flags: [
    { name: 'key', kind: 'text', value: 'FILE', help: 'the private key, as `bifrost plugin keygen` wrote it' },
    { name: 'key-id', kind: 'text', value: 'NAME', help: "the key's name at the operators; default: the file's" },
  ],
  details: [
    'Signs the manifest, which binds all files of the folder by their digests (`integrity` of the main file, `files` of all others): ' +
      'sign after `bifrost plugin build` (a gRPC program as it is), and build and sign anew after any change. Gateways with `plugin_trust.require_signature` take only plugins that a key of theirs has signed.',
  ],
  examples: [
    { command: 'bifrost plugin sign hello/dist --key acme.key', says: 'the manifest carries the signature of "acme"' },
  ],
  async run(context, input) {
    const keyPath = input.text('key');
    if (keyPath === undefined) {
      throw new UsageError('`bifrost plugin sign` needs --key FILE; `bifrost plugin keygen NAME` makes one');
    }
    const { directory } = context;
    const privateKey = readPrivateKey(keyPath, directory);
    const { file, folder, manifest } = readManifestFile(input.positionals[0] ?? '', directory);
    const { name, integrity, main } = manifest;
    const refuse = (message: string): never => {
      throw new CommandFailure(`plugin ${name}: ${message}`);
    };
    // A program that runs as it is has nothing that was built.
    const isBuilt = integrity !== undefined || manifest.kind === 'grpc';
    if (!isBuilt) refuse(`${file} has no \`integrity\`: build it with \`bifrost plugin build\`, then sign it`);
    const found = toIntegrity(sha256Of(readFileSync(join(folder, main))));
    if (integrity !== undefined && found !== integrity)
      refuse(`${main} is not what ${file} was built with: build it anew, then sign it`);
    const id = input.text('key-id') ?? basename(keyPath).replace(/\.key$/, '');
    const files = await filesBeside(name, folder, main);
    writeManifestFile(file, signManifest({ ...manifest, integrity: found, files }, { id, privateKey }));
    const others = Object.keys(files).length;
    const what = others === 0 ? main : `${main} and ${others} other file${others === 1 ? '' : 's'}`;
    context.print(`${file}: ${name} ${manifest.version} is signed by "${id}", with ${what}`);
    return 0;
  },
};
