/** The key of captures: 32 random bytes in a file that its owner alone can read, made at first use. */
import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { GatewayError } from '@bifrost/sdk';

const keyBytes = 32;

function unusable(file: string, why: string, cause?: unknown): GatewayError {
  return new GatewayError(
    `the key of recordings ${file} ${why}: give the file that was made with the recording, or remove it to begin anew ` +
      '(earlier recordings cannot be read then)',
    { code: 'BF_PLUGIN_RECORDING_KEY', statusCode: 500, ...(cause === undefined ? {} : { cause }) },
  );
}

/** Reads the key. Throws GatewayError `BF_PLUGIN_RECORDING_KEY`, which never has the key in it. */
export function readCaptureKey(file: string): Buffer {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw unusable(
      file,
      `cannot be read (${cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason'})`,
      cause,
    );
  }
  const key = Buffer.from(text, 'base64');
  if (key.length !== keyBytes || key.toString('base64') !== text) throw unusable(file, 'has no key in it');
  return key;
}

/** Reads the key, or makes it. Threads that make it at once get the same one. */
export function openCaptureKey(file: string): Buffer {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, `${randomBytes(keyBytes).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  try {
    chmodSync(draft, 0o600);
    // Whole or not at all, and never over another one.
    linkSync(draft, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return readCaptureKey(file);
}
