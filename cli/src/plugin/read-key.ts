import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parsePublicKey } from '@bifrost/framework/workbench';
import { UsageError, unreadable } from '../usage-error.ts';

/** A private key, from the file that `keygen` wrote. */
export function readPrivateKey(path: string, directory: string): string {
  if (path.endsWith('.pub')) {
    throw new UsageError(`${path} is a public key: sign with ${path.replace(/\.pub$/, '.key')}, which stays with you`);
  }
  return readKeyFile(path, directory);
}

/** Base64 of 32 bytes from a file that `keygen` wrote. The message of an error never has the key in it. */
function readKeyFile(path: string, directory: string): string {
  const file = resolve(directory, path);
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UsageError(`the key ${unreadable(file, error)}`);
  }
  if (Buffer.from(text, 'base64').length === 32 && /^[A-Za-z0-9+/]{43}=$/.test(text)) return text;
  throw new UsageError(
    `${file} has no key in it: expected the base64 of 32 bytes, as \`bifrost plugin keygen\` writes it`,
  );
}

/** `acme=BASE64`, `acme=FILE` or `acme.pub`: the name and the key. */
export function readTrustedKey(stated: string, directory: string): readonly [name: string, publicKey: string] {
  const match = /^([A-Za-z0-9][\w.-]*)=(.+)$/.exec(stated);
  const [, name = basename(stated).replace(/\.pub$/, ''), value = stated] = match ?? [];
  if (value.endsWith('.key')) {
    throw new UsageError(
      `${value} is a private key: verify with ${value.replace(/\.key$/, '.pub')}, and keep it to yourself`,
    );
  }
  if (match !== null && parsePublicKey(value) !== undefined) return [name, value];
  const key = readKeyFile(value, directory);
  if (parsePublicKey(key) !== undefined) return [name, key];
  throw new UsageError(`${value} is no public key of Ed25519: give the file that ends in .pub`);
}
