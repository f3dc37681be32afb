/**
 * Downloaded and uploaded artefacts on disk, each in a folder named by its digest. A folder appears whole or not at all, and
 * is checked against the digest before it is used again.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { manifestFileName } from '@bifrost/sdk';
import { detectFormat } from '../inspection/detect-format.ts';
import { maxArtefactBytes } from '../read-artefact-file.ts';
import { sha256Of } from './integrity.ts';
import { ArchiveFault, readTar } from './read-tar.ts';
import type { TarFile } from './read-tar.ts';

export interface StoredArtefact {
  /** The file itself, or the folder that an archive was unpacked to. */
  readonly path: string;
  /** Of what was stored: of the archive, where it is one. */
  readonly sha256: string;
}

/** What was downloaded, as it came, beside what was made of it. */
const originalName = 'artefact.bin';
const contentFolder = 'content';

/** `../x y.so?` -> `x_y.so`: a name that is a file name everywhere and keeps its extension. */
function safeFileName(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9._-]+/g, '_').replace(/^[._]+/, '');
  return plain === '' ? 'plugin' : plain.slice(-100);
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The files of a .tgz, without the one folder that npm and others put around them. Throws ArchiveFault. */
function unpack(bytes: Uint8Array): readonly TarFile[] {
  let tar: Buffer;
  try {
    tar = gunzipSync(bytes, { maxOutputLength: maxArtefactBytes });
  } catch (error) {
    const isTooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    throw new ArchiveFault(isTooLarge ? `more than ${maxArtefactBytes} bytes unpacked` : 'damaged compressed data');
  }
  const files = readTar(tar);
  const first = files[0]?.path.split('/')[0] ?? '';
  const isWrapped = files.length > 0 && files.every(({ path }) => path.startsWith(`${first}/`));
  const plain = isWrapped ? files.map((file) => ({ ...file, path: file.path.slice(first.length + 1) })) : files;
  if (!plain.some(({ path }) => path === manifestFileName || path === 'package.json')) {
    throw new ArchiveFault(`neither ${manifestFileName} nor package.json`);
  }
  return plain;
}

/** The files that an artefact is on disk: itself under its name, or what is in it. */
function filesOf(bytes: Uint8Array, fileName: string): readonly TarFile[] {
  if (isGzip(bytes)) return unpack(bytes);
  const isExecutable = ['elf', 'mach-o', 'pe', 'script'].includes(detectFormat(bytes));
  return [{ path: safeFileName(fileName), bytes, isExecutable }];
}

export class ArtefactCache {
  readonly #directory: string;

  /** `directory` need not be there yet. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** What is stored under a digest, if all of it is still as it was. */
  find(sha256: string, fileName: string): StoredArtefact | undefined {
    for (const folder of [this.#folderOf(sha256), this.#folderOf(sha256, fileName)]) {
      const original = join(folder, originalName);
      if (!existsSync(original)) continue;
      const bytes = readFileSync(original);
      if (sha256Of(bytes) === sha256 && isWhole(folder, filesOf(bytes, fileName)))
        return stored(folder, sha256, bytes, fileName);
    }
    return undefined;
  }

  /** Stores an artefact under its digest. Rejects with ArchiveFault for an archive that is not taken. */
  async put(bytes: Uint8Array, fileName: string): Promise<StoredArtefact> {
    const sha256 = sha256Of(bytes);
    const files = filesOf(bytes, fileName);
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await chmod(this.#directory, 0o700);
    const folder = isGzip(bytes) ? this.#folderOf(sha256) : this.#folderOf(sha256, fileName);
    const draft = join(this.#directory, `.${sha256.slice(0, 16)}-${randomBytes(6).toString('hex')}`);
    try {
      await mkdir(join(draft, contentFolder), { recursive: true, mode: 0o700 });
      await writeFile(join(draft, originalName), bytes, { mode: 0o600, flush: true });
      for (const { path, bytes: content, isExecutable } of files) {
        const file = join(draft, contentFolder, path);
        await mkdir(dirname(file), { recursive: true, mode: 0o700 });
        await writeFile(file, content, { mode: isExecutable ? 0o700 : 0o600, flush: true });
      }
      await settle(draft, folder, files);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
    return stored(folder, sha256, bytes, fileName);
  }

  /** The same bytes under two names are two files: a name says what they are, and no other entry may take it away. */
  #folderOf(sha256: string, fileName?: string): string {
    return join(this.#directory, fileName === undefined ? sha256 : `${sha256}-${safeFileName(fileName)}`);
  }
}

function isWhole(folder: string, files: readonly TarFile[]): boolean {
  return files.every(({ path, bytes }) => {
    const file = join(folder, contentFolder, path);
    return existsSync(file) && readFileSync(file).equals(bytes);
  });
}

function stored(folder: string, sha256: string, bytes: Uint8Array, fileName: string): StoredArtefact {
  const content = join(folder, contentFolder);
  return { sha256, path: isGzip(bytes) ? content : join(content, safeFileName(fileName)) };
}

/** Gives a draft its place. Where the same was stored already, and is whole, that stays: someone may be reading it. */
async function settle(draft: string, folder: string, files: readonly TarFile[]): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await rename(draft, folder);
      return;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (attempt > 2 || (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'EPERM')) throw error;
      if (isWhole(folder, files)) return;
      await rename(folder, join(draft, 'damaged'));
    }
  }
}
