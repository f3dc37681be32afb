import { readElf } from './elf-file.ts';

/** Makes the file say that it has no sections; only debuggers and linkers read them. Changes `bytes`. */
export function forgetSections(bytes: Buffer): Buffer {
  const offset = 40;
  const count = 60;
  const names = 62;
  bytes.writeBigUInt64LE(0n, offset);
  bytes.writeUInt16LE(0, count);
  bytes.writeUInt16LE(0, names);
  return bytes;
}

/**
 * The file without what only debuggers and linkers read: symbols and section headers, which lie behind the last segment. A fifth
 * of Node's size; nothing that runs misses it.
 */
export function stripExecutable(bytes: Buffer): Buffer {
  const end = Math.max(...readElf(bytes).segments.map(({ offset, fileSize }) => offset + fileSize));
  return forgetSections(Buffer.from(bytes.subarray(0, end)));
}
