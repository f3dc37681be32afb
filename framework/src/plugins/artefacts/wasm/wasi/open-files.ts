/** The table of a guest's file descriptors: 0 to 2 are the standard streams, then the granted directories, then what it opens. */
import { closeSync } from 'node:fs';
import type { Preopen } from './granted-paths.ts';

export interface OpenStream {
  readonly kind: 'stream';
  /** What is written goes to the log, line by line; null for standard input, which is empty. */
  readonly write: ((text: string) => void) | null;
}

export interface OpenDirectory {
  readonly kind: 'directory';
  readonly directory: string;
  /** Set for those that the guest found open. */
  readonly preopen?: Preopen;
}

export interface OpenFile {
  readonly kind: 'file';
  /** A descriptor of this process. */
  readonly descriptor: number;
  readonly isAppending: boolean;
  /** Bytes from the start. */
  position: bigint;
}

export type OpenEntry = OpenStream | OpenDirectory | OpenFile;

/** More would be a leak of the guest's. */
const maxOpen = 256;

export class OpenFiles {
  readonly #entries = new Map<number, OpenEntry>();
  #next = 0;

  get(descriptor: number): OpenEntry | undefined {
    return this.#entries.get(descriptor);
  }

  /** Undefined where too many are open. */
  add(entry: OpenEntry): number | undefined {
    if (this.#entries.size >= maxOpen) return undefined;
    const descriptor = this.#next;
    this.#next += 1;
    this.#entries.set(descriptor, entry);
    return descriptor;
  }

  /** False where it is not open. */
  close(descriptor: number): boolean {
    const entry = this.#entries.get(descriptor);
    if (entry?.kind === 'file') closeSync(entry.descriptor);
    return this.#entries.delete(descriptor);
  }

  closeAll(): void {
    for (const descriptor of this.#entries.keys()) this.close(descriptor);
    this.#next = 0;
  }
}
