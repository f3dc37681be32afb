import { readElf } from './elf-file.ts';

/**
 * The file without what only debuggers and linkers read: symbols and section headers, which lie behind the last segment. A fifth
 * of Node's size; nothing that runs misses it.
 */
export function stripExecutable(bytes: Buffer): Buffer {
  const end = Math.max(...readElf(bytes).segments.map(({ offset, fileSize }) => offset + fileSize));
  const stripped = Buffer.from(bytes.subarray(0, end));
  const sectionOffset = 40;
  const sectionCount = 60;
  const sectionNames = 62;
  stripped.writeBigUInt64LE(0n, sectionOffset);
  stripped.writeUInt16LE(0, sectionCount);
  stripped.writeUInt16LE(0, sectionNames);
  return stripped;
}
