import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SpoolFile, sweepSpoolFiles } from './spool-file.ts';

function temporaryFolder(): string {
  const folder = fs.mkdtempSync(join(tmpdir(), 'bifrost-spool-test-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function open(directories: readonly string[]): Promise<SpoolFile> {
  return new Promise((resolve, reject) => {
    SpoolFile.open(directories, (error, file) => (file === undefined ? reject(error as Error) : resolve(file)));
  });
}

const append = (file: SpoolFile, ...pieces: Buffer[]): Promise<void> =>
  new Promise((resolve, reject) => file.append(pieces, (error) => (error === null ? resolve() : reject(error))));

const read = (file: SpoolFile, into: Buffer, position: number): Promise<number> =>
  new Promise((resolve, reject) =>
    file.read(into, position, (error, bytes) => (error === null ? resolve(bytes) : reject(error))),
  );

/** What descriptors of this process lead to files in a folder, with their names after the folder. */
function openIn(folder: string): readonly string[] {
  return fs.readdirSync('/proc/self/fd').flatMap((name) => {
    try {
      const target = fs.readlinkSync(`/proc/self/fd/${name}`);
      return target.startsWith(folder) ? [target] : [];
    } catch {
      return []; // closed meanwhile
    }
  });
}

describe('a temporary file', () => {
  it.runIf(process.platform === 'linux')('has no name and is nobody else’s from the start', async () => {
    const folder = join(temporaryFolder(), 'not', 'there yet');
    const file = await open([folder]);
    expect(fs.readdirSync(folder)).toEqual([]);
    const [target] = openIn(folder);
    expect(target).toMatch(/bifrost-body-[0-9a-f-]{36} \(deleted\)$/);
    expect(fs.statSync(folder).mode & 0o777).toBe(0o700);
    const descriptor = fs.readdirSync('/proc/self/fd').find((name) => {
      try {
        return fs.readlinkSync(`/proc/self/fd/${name}`) === target;
      } catch {
        return false;
      }
    });
    expect(fs.fstatSync(Number(descriptor)).mode & 0o777).toBe(0o600);
    file.release();
    await expect.poll(() => openIn(folder)).toEqual([]);
  });

  it('is made in the first directory that takes it', async () => {
    const folder = temporaryFolder();
    fs.writeFileSync(join(folder, 'file'), '');
    const file = await open([join(folder, 'file', 'below a file'), folder]);
    await append(file, Buffer.from('x'));
    expect(file.length).toBe(1);
    file.release();
    await expect(open([join(folder, 'file')])).rejects.toMatchObject({ code: 'ENOTDIR' });
    await expect(open([])).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('gives back what was written to it, in pieces of any size', async () => {
    const file = await open([temporaryFolder()]);
    const pieces = [randomBytes(10), randomBytes(70_000), randomBytes(1)];
    await append(file, pieces[0] as Buffer);
    await append(file, pieces[1] as Buffer, pieces[2] as Buffer);
    const bytes = Buffer.concat(pieces);
    expect(file.length).toBe(bytes.length);
    const into = Buffer.alloc(bytes.length + 5);
    expect(await read(file, into, 0)).toBe(bytes.length);
    expect(into.subarray(0, bytes.length).equals(bytes)).toBe(true);
    expect(file.readNow(5, 70_011).equals(bytes.subarray(5))).toBe(true);
    expect(() => file.readNow(0, bytes.length + 1)).toThrow('shorter');
    file.release();
  });

  it.runIf(process.platform === 'linux')('is closed once what is under way has ended', async () => {
    const folder = temporaryFolder();
    const file = await open([folder]);
    const writing = append(file, Buffer.alloc(1_000_000));
    file.release();
    expect(openIn(folder).length).toBe(1);
    await writing;
    await expect.poll(() => openIn(folder)).toEqual([]);
    await expect(read(file, Buffer.alloc(1), 0)).rejects.toMatchObject({ code: 'EBADF' });
  });
});

describe('files that a killed process has left', () => {
  it('are removed, and no others', async () => {
    const folder = temporaryFolder();
    for (const name of ['bifrost-body-1', 'bifrost-other', 'body']) fs.writeFileSync(join(folder, name), '');
    sweepSpoolFiles([folder, join(folder, 'not there')]);
    await expect.poll(() => fs.readdirSync(folder)).toEqual(['bifrost-other', 'body']);
  });
});
