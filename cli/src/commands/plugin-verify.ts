import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertFiles, assertSignatureBindsAll, sha256Of, toIntegrity } from '@bifrost/framework/artefacts';
import { assertTrusted } from '@bifrost/framework/workbench';
import { CommandFailure } from '../command-failure.ts';
import type { Command } from '../command.ts';
import { readManifestFile } from '../plugin/manifest-file.ts';
import { readTrustedKey } from '../plugin/read-key.ts';
import { UsageError } from '../usage-error.ts';
import { pathPositional } from './plugin-check.ts';

export const pluginVerify: Command = {
  name: 'plugin verify',
  summary: 'checks digest and signature of a plugin; none of its code runs',
  positionals: [pathPositional],
  flags: [
    {
      name: 'key',
      kind: 'list',
      value: 'NAME.pub',
      help: 'a public key to trust, or NAME=BASE64; may be given several times',
    },
  ],
  details: ['Answers as a gateway with these keys in `plugin_trust.keys` and `require_signature` would.'],
  examples: [{ command: 'bifrost plugin verify hello/dist --key acme.pub', says: 'is it by acme, and unchanged?' }],
  async run(context, input) {
    const { directory } = context;
    const keys = input.list('key').map((stated) => readTrustedKey(stated, directory));
    if (keys.length === 0) {
      throw new UsageError('`bifrost plugin verify` needs --key NAME.pub: whose signature is to be trusted');
    }
    const { file, folder, manifest } = readManifestFile(input.positionals[0] ?? '', directory);
    const { name, version, main, integrity, signature } = manifest;
    assertTrusted(name, manifest, { keys: Object.fromEntries(keys), isSignatureRequired: true });
    const digest = sha256Of(readFileSync(join(folder, main)));
    if (toIntegrity(digest) !== integrity) {
      throw new CommandFailure(
        `plugin ${name}: ${main} was changed: it has another digest than ${file}, which was signed, states`,
      );
    }
    await assertFiles(name, folder, manifest);
    await assertSignatureBindsAll(name, { file: join(folder, main), directory: folder, manifest });
    context.print(`ok: ${name} ${version} is signed by "${signature?.keyId}"`);
    context.print(`sha256: ${digest}`);
    return 0;
  },
};
