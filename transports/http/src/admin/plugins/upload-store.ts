/** Artefacts that came over the admin API, by their digest: the same bytes are one file, and no name reaches the file system. */
import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { GatewayError } from '@bifrost/sdk';

/** What an artefact may end in; what it is, is told by its content before it is loaded. */
const extensions = ['.ts', '.mts', '.js', '.mjs', '.wasm', '.so', '.dylib', '.dll', '.node', '.tgz', '.gz'];

export interface StoredUpload {
  readonly path: string;
  /** SHA-256, 64 hexadecimal digits. */
  readonly sha256: string;
}

/** Keeps `bytes` in `directory` and says where. Rejects with `BF_ADMIN_UPLOAD_INVALID` for a file name that no artefact has. */
export async function storeUpload(directory: string, fileName: string, bytes: Uint8Array): Promise<StoredUpload> {
  const extension = extname(fileName).toLowerCase();
  if (!extensions.includes(extension)) {
    throw new GatewayError(
      `"${fileName.slice(0, 100)}" is no name of an artefact; expected one that ends in ${extensions.join(', ')}`,
      {
        code: 'BF_ADMIN_UPLOAD_INVALID',
        statusCode: 400,
      },
    );
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const folder = join(directory, sha256);
  const path = join(folder, `plugin${extension}`);
  const isThere = await stat(path).then(
    ({ size }) => size === bytes.length,
    () => false,
  );
  if (isThere) return { path, sha256 };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(draft, 'w', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  return { path, sha256 };
}
