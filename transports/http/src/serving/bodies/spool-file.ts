import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';

/** Names of ours, which no other program gives its files. */
const prefix = 'bifrost-body-';

type Done = (error: NodeJS.ErrnoException | null) => void;

/**
 * A temporary file without a name: unlinked before anything is written, so that nothing of it is left whatever becomes of the process.
 * Where the system does not unlink an open file it is removed when it is closed.
 */
export class SpoolFile {
  readonly #descriptor: number;
  /** Where it still has a name. */
  readonly #path: string | undefined;
  #length = 0;
  #underWay = 0;
  #isReleased = false;

  private constructor(descriptor: number, path: string | undefined) {
    this.#descriptor = descriptor;
    this.#path = path;
  }

  /** Makes one in the first of the directories that takes it. */
  static open(
    directories: readonly string[],
    done: (error: NodeJS.ErrnoException | null, file: SpoolFile | undefined) => void,
  ): void {
    const [directory, ...others] = directories;
    if (directory === undefined) {
      done(Object.assign(new Error('there is no directory for temporary files'), { code: 'ENOENT' }), undefined);
      return;
    }
    SpoolFile.#openIn(directory, (error, file) => {
      if (error !== null && others.length > 0) SpoolFile.open(others, done);
      else done(error, file);
    });
  }

  static #openIn(
    directory: string,
    done: (error: NodeJS.ErrnoException | null, file: SpoolFile | undefined) => void,
  ): void {
    const path = join(directory, prefix + randomUUID());
    fs.open(path, 'wx+', 0o600, (error, descriptor) => {
      if (error?.code === 'ENOENT') {
        fs.mkdir(directory, { recursive: true, mode: 0o700 }, (failure) => {
          if (failure === null) SpoolFile.#openIn(directory, done);
          else done(failure, undefined);
        });
      } else if (error !== null) done(error, undefined);
      else {
        fs.unlink(path, (failure) => {
          const isGone = failure === null || failure.code === 'ENOENT';
          done(null, new SpoolFile(descriptor, isGone ? undefined : path));
        });
      }
    });
  }

  /** Bytes written. */
  get length(): number {
    return this.#length;
  }

  /** Writes pieces behind what there is; one call at a time. After an error `length` is what it was before. */
  append(pieces: readonly Buffer[], done: Done): void {
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    this.#begin();
    const finish = (error: NodeJS.ErrnoException | null): void => {
      if (error === null) this.#length += bytes;
      this.#end();
      done(error);
    };
    this.#write(pieces, this.#length, finish);
  }

  #write(pieces: readonly Buffer[], position: number, done: Done): void {
    fs.writev(this.#descriptor, pieces, position, (error, written) => {
      const rest = error === null ? restOf(pieces, written) : [];
      if (error === null && rest.length > 0 && written > 0) this.#write(rest, position + written, done);
      else if (error === null && rest.length > 0) {
        done(Object.assign(new Error('nothing more was written'), { code: 'ENOSPC' }));
      } else done(error);
    });
  }

  /** Fills `into` from `position`; the end of the file ends it early. */
  read(into: Buffer, position: number, done: (error: NodeJS.ErrnoException | null, bytes: number) => void): void {
    if (this.#isReleased) {
      process.nextTick(() => done(Object.assign(new Error('the file is closed'), { code: 'EBADF' }), 0));
      return;
    }
    this.#begin();
    fs.read(this.#descriptor, into, 0, into.length, position, (error, bytes) => {
      this.#end();
      if (error !== null || bytes === 0 || bytes === into.length) done(error, bytes);
      else this.read(into.subarray(bytes), position + bytes, (failure, more) => done(failure, bytes + more));
    });
  }

  /** The bytes between two offsets, at once. Throws where they cannot be read. */
  readNow(start: number, end: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(end - start);
    for (let at = 0; at < bytes.length;) {
      const read = fs.readSync(this.#descriptor, bytes, at, bytes.length - at, start + at);
      if (read === 0) throw Object.assign(new Error('the file is shorter than it was'), { code: 'EIO' });
      at += read;
    }
    return bytes;
  }

  /** Closes it, once what is under way has ended: a descriptor that is free may be another file's the next moment. */
  release(): void {
    this.#isReleased = true;
    if (this.#underWay === 0) this.#close();
  }

  #begin(): void {
    this.#underWay += 1;
  }

  #end(): void {
    this.#underWay -= 1;
    if (this.#isReleased && this.#underWay === 0) this.#close();
  }

  #close(): void {
    const path = this.#path;
    fs.close(this.#descriptor, () => {
      // Nobody waits for it, and a failure to close a file that nobody sees is nobody's concern.
      if (path !== undefined) fs.unlink(path, () => undefined);
    });
  }
}

/** What of the pieces lies behind the first `written` bytes. */
function restOf(pieces: readonly Buffer[], written: number): readonly Buffer[] {
  let skipped = 0;
  return pieces.flatMap((piece) => {
    const from = Math.min(piece.length, Math.max(0, written - skipped));
    skipped += piece.length;
    return from === piece.length ? [] : [piece.subarray(from)];
  });
}

/**
 * Removes files of ours that still have their names: a process that was killed between making one and unlinking it, or a system that
 * cannot unlink what is open, has left them. One that another process is just making loses its name, which is what that wants.
 */
export function sweepSpoolFiles(directories: readonly string[]): void {
  for (const directory of directories) {
    fs.readdir(directory, (error, names) => {
      if (error !== null) return; // there is no such directory, or it is not ours to see
      for (const name of names) if (name.startsWith(prefix)) fs.unlink(join(directory, name), () => undefined);
    });
  }
}
