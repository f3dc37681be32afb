/** Artefacts that came over the admin API, kept by their digest. */
import { extname } from 'node:path';
import { GatewayError } from '@bifrost/sdk';

/** What an artefact may end in; what it is, is told by its content before it is loaded. */
const extensions = ['.ts', '.mts', '.js', '.mjs', '.wasm', '.so', '.dylib', '.dll', '.node', '.tgz', '.gz'];

/** The body of an upload and what was said of it. */
export interface Upload {
  /** Of the plugin. */
  readonly name: string;
  readonly fileName: string;
  readonly bytes: Uint8Array;
}

/**
 * Keeps an upload below `pluginDirectory`, an archive unpacked, and gives what its entry says of it. Rejects with
 * `BF_ADMIN_UPLOAD_INVALID` for a file name that no artefact has, with PluginError for an archive that is not taken.
 */
export async function keepUpload(
  { name, fileName, bytes }: Upload,
  pluginDirectory: string,
): Promise<{ readonly path: string; readonly sha256: string }> {
  if (!extensions.includes(extname(fileName).toLowerCase())) {
    throw new GatewayError(
      `"${fileName.slice(0, 100)}" is no name of an artefact; expected one that ends in ${extensions.join(', ')}`,
      { code: 'BF_ADMIN_UPLOAD_INVALID', statusCode: 400 },
    );
  }
  // Not needed for a start.
  const { storeUpload } = await import('@bifrost/framework/artefacts');
  return storeUpload(name, { bytes, fileName }, pluginDirectory);
}
