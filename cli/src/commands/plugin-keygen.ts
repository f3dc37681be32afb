import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { generateSigningKeys } from '@bifrost/framework/artefacts';
import type { Command } from '../command.ts';
import { UsageError } from '../usage-error.ts';

export const pluginKeygen: Command = {
  name: 'plugin keygen',
  summary: 'makes a pair of keys to sign plugins with',
  positionals: [
    { name: 'NAME', help: 'who signs: NAME.key and NAME.pub are written here, and signatures carry the name' },
  ],
  flags: [],
  details: [
    'Ed25519. NAME.key is the private key, readable by you alone: keep it where no gateway is. NAME.pub is what operators write into ' +
      '`plugin_trust.keys` of their configuration; the line is printed.',
  ],
  examples: [{ command: 'bifrost plugin keygen acme', says: 'acme.key and acme.pub' }],
  run(context, input) {
    const path = resolve(context.directory, input.positionals[0] ?? '');
    const name = basename(path);
    if (!existsSync(dirname(path))) throw new UsageError(`there is no folder ${dirname(path)}`);
    const [keyFile, publicFile] = [`${path}.key`, `${path}.pub`];
    for (const file of [keyFile, publicFile]) {
      if (existsSync(file)) throw new UsageError(`${file} is there already: a key is never written over`);
    }
    const keys = generateSigningKeys();
    writeFileSync(keyFile, `${keys.privateKey}\n`, { mode: 0o600, flag: 'wx' });
    chmodSync(keyFile, 0o600);
    writeFileSync(publicFile, `${keys.publicKey}\n`, { flag: 'wx' });
    context.print(`${keyFile}: the private key; keep it`);
    context.print(`${publicFile}: the public key`);
    context.print('');
    context.print('For the configuration of gateways that shall trust it:');
    context.print(`  "plugin_trust": { "keys": { ${JSON.stringify(name)}: ${JSON.stringify(keys.publicKey)} } }`);
    return Promise.resolve(0);
  },
};
