/** `/etc/ld.so.cache`: the list of libraries that `ldconfig` has found (glibc's dl-cache.h, format 1.1). */
import { BinaryFault, ByteView } from './byte-view.ts';

const magic = 'glibc-ld.so.cache1.1';
const headerBytes = 48;
const entryBytes = 24;
const maxEntries = 200_000;

/** soname -> paths in the order of the cache. Empty for a cache that is absent, damaged or of another format. */
export function readLdCache(bytes: Uint8Array): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  // An older format may stand in front of it.
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(magic, 0, 'latin1');
  if (start === -1) return found;
  const view = new ByteView(bytes.subarray(start), true);
  try {
    const count = Math.min(view.u32(magic.length), maxEntries);
    for (let index = 0; index < count; index++) {
      const at = headerBytes + index * entryBytes;
      const [name, path] = [view.text(view.u32(at + 4)), view.text(view.u32(at + 8))];
      const paths = found.get(name);
      if (paths === undefined) found.set(name, [path]);
      else paths.push(path);
    }
  } catch (error) {
    if (!(error instanceof BinaryFault)) throw error;
  }
  return found;
}
