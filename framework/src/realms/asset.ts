/**
 * A file inside the executable. All are compressed: a quarter of the size for some milliseconds at the start. Part of what runs
 * first (executable-boot.ts), so it may import nothing but Node.
 */
import { getRawAsset } from 'node:sea';
import { zstdDecompressSync } from 'node:zlib';

/** Throws where the executable carries no such file. */
export function readAsset(name: string): Buffer {
  return zstdDecompressSync(Buffer.from(getRawAsset(name)));
}
