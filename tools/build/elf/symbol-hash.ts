/** The hash table of symbol names (`DT_GNU_HASH`) by which the dynamic linker finds what a file exports. */

/** Of a name, as the format defines it. */
export function hashName(name: string): number {
  let hash = 5381;
  for (const byte of Buffer.from(name, 'latin1')) hash = (Math.imul(hash, 33) + byte) >>> 0;
  return hash;
}

/** How far a word of the filter is shifted for its second bit. */
const filterShift = 26;

export interface HashTable {
  /** Indexes of the given names in the order that the table needs. */
  readonly order: readonly number[];
  readonly bytes: Buffer;
}

/** The table over `names`, which stand in the symbol table from `firstIndex` on, in the order that is returned. */
export function makeHashTable(names: readonly string[], firstIndex: number): HashTable {
  const bucketCount = Math.max(1, Math.ceil(names.length / 4));
  const wordCount = 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(1, names.length / 8))));
  const hashed = names.map((name, index) => ({ hash: hashName(name), index }));
  const sorted = hashed.toSorted((a, b) => (a.hash % bucketCount) - (b.hash % bucketCount) || a.index - b.index);
  const bytes = Buffer.alloc(16 + 8 * wordCount + 4 * bucketCount + 4 * names.length);
  for (const [place, value] of [bucketCount, firstIndex, wordCount, filterShift].entries()) {
    bytes.writeUInt32LE(value, place * 4);
  }
  const bucketsAt = 16 + 8 * wordCount;
  const chainsAt = bucketsAt + 4 * bucketCount;
  for (const [place, { hash }] of sorted.entries()) {
    const word = 16 + 8 * (Math.floor(hash / 64) % wordCount);
    const bits = (1n << BigInt(hash % 64)) | (1n << BigInt((hash >>> filterShift) % 64));
    bytes.writeBigUInt64LE(bytes.readBigUInt64LE(word) | bits, word);
    const bucket = bucketsAt + 4 * (hash % bucketCount);
    if (bytes.readUInt32LE(bucket) === 0) bytes.writeUInt32LE(firstIndex + place, bucket);
    const next = sorted[place + 1];
    const isLast = next === undefined || next.hash % bucketCount !== hash % bucketCount;
    // The lowest bit marks the end of a chain.
    bytes.writeUInt32LE(((hash & ~1) | (isLast ? 1 : 0)) >>> 0, chainsAt + 4 * place);
  }
  return { order: sorted.map(({ index }) => index), bytes };
}

/** One more than the highest index in the table at `offset`; 0 where it is empty. */
export function hashedSymbolEnd(bytes: Buffer, offset: number): number {
  const [bucketCount, firstIndex, wordCount] = [0, 4, 8].map((at) => bytes.readUInt32LE(offset + at)) as [
    number,
    number,
    number,
  ];
  const bucketsAt = offset + 16 + 8 * wordCount;
  const chainsAt = bucketsAt + 4 * bucketCount;
  let last = 0;
  for (let bucket = 0; bucket < bucketCount; bucket++) {
    last = Math.max(last, bytes.readUInt32LE(bucketsAt + 4 * bucket));
  }
  if (last < firstIndex) return 0;
  while ((bytes.readUInt32LE(chainsAt + 4 * (last - firstIndex)) & 1) === 0) last++;
  return last + 1;
}
