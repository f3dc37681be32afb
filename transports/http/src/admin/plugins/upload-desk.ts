/** Artefacts that come as the body of a call: kept, and loaded as a plugin in a process of its own with nothing granted. */
import { isJsonObject } from '@bifrost/sdk';
import type { JsonObject } from '@bifrost/sdk';
import type { ManagedPlugin } from '@bifrost/framework/plugin-manager';
import { freeNameOf, invalid } from './entry-patch.ts';
import type { PluginAdmin } from './plugin-admin.ts';
import { keepUpload } from './upload-store.ts';
import type { Upload } from './upload-store.ts';

export interface UploadTarget {
  readonly admin: PluginAdmin;
  /** Below it the artefacts are kept. */
  readonly pluginDirectory: string;
}

export interface TakenUpload {
  readonly plugin: ManagedPlugin;
  /** There was no plugin of that name. */
  readonly isNew: boolean;
}

/** Throws GatewayError 400. */
export function parseUpload(query: unknown, body: unknown): Upload {
  const { name, file } = isJsonObject(query) ? query : {};
  if (typeof name !== 'string' || name === '' || typeof file !== 'string')
    throw invalid(
      'give the plugin a name and say what the file is called, each once: ?name=my-plugin&file=plugin.wasm',
    );
  if (!Buffer.isBuffer(body) || body.length === 0)
    throw invalid('the body must be the artefact itself (content-type: application/octet-stream)');
  return { name, fileName: file, bytes: body };
}

/** Rejects with GatewayError as the change does. */
export async function takeUpload(upload: Upload, { admin, pluginDirectory }: UploadTarget): Promise<TakenUpload> {
  const { name } = upload;
  const isNew = admin.fileOf(name) === undefined;
  if (isNew) freeNameOf({ name });
  const entry: JsonObject = {
    name,
    ...(await keepUpload(upload, pluginDirectory)),
    enabled: true,
    isolation: 'process',
  };
  if (isNew) return { plugin: await admin.create(entry), isNew };
  // What is granted to a plugin, and what binds its entry to one artefact, is of the artefact that was there before.
  return { plugin: await admin.update(name, { ...entry, integrity: null, capabilities: null }), isNew };
}
