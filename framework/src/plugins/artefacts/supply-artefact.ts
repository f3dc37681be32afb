/** Where artefacts come from: a path, an npm name, a URL, an upload. What was fetched or uploaded is kept by its digest. */
import { basename, join, sep } from 'node:path';
import { PluginError } from '@bifrost/sdk';
import type { PluginSupply } from '../../config/plugin-trust-schema.ts';
import type { PluginEntry } from '../plugin-entry.ts';
import { ArtefactCache } from './download/artefact-cache.ts';
import type { StoredArtefact } from './download/artefact-cache.ts';
import { fetchArtefact, parseDownloadUrl, shownUrl } from './download/fetch-artefact.ts';
import type { DownloadOptions } from './download/fetch-artefact.ts';
import { sha256Of, statedDigest } from './download/integrity.ts';
import { ArchiveFault } from './download/read-tar.ts';
import { locateArtefact } from './locate-artefact.ts';
import type { LocatedArtefact, LocateOptions } from './locate-artefact.ts';

/** What of an entry decides about its artefact. */
export type ArtefactEntry = Pick<
  PluginEntry,
  'name' | 'path' | 'config' | 'sha256' | 'integrity' | 'isolation' | 'capabilities' | 'memoryLimitBytes'
>;

export interface SupplyOptions extends LocateOptions {
  /** `<app-dir>/plugins`: downloads go to `cache`, uploads to `uploads` below it. Absent: neither are taken. */
  readonly pluginDirectory?: string;
  readonly download?: DownloadOptions;
}

export interface SuppliedArtefact extends LocatedArtefact {
  readonly source: 'file' | 'npm' | 'https' | 'upload';
  /** What it was made of has been compared with the entry's digest: of an archive nothing else can be. */
  readonly isVerified: boolean;
}

/** What `plugin_trust` says of downloads. */
export function toDownloadOptions({ privateHosts, maxDownloadBytes }: PluginSupply): DownloadOptions {
  return { privateHosts, ...(maxDownloadBytes === undefined ? {} : { maxBytes: maxDownloadBytes }) };
}

function fail(plugin: string, code: string, message: string): never {
  throw new PluginError(plugin, message, { code });
}

function cacheIn(pluginDirectory: string): ArtefactCache {
  return new ArtefactCache(join(pluginDirectory, 'cache'));
}

function uploadsIn(pluginDirectory: string): string {
  return join(pluginDirectory, 'uploads');
}

function notTaken(plugin: string, what: string, fault: unknown): never {
  if (!(fault instanceof ArchiveFault)) throw fault;
  return fail(
    plugin,
    'BF_PLUGIN_ARCHIVE_INVALID',
    `the archive ${what} is not unpacked, as it has ${fault.message}: pack the plugin's folder with \`npm pack\` or \`tar -czf\``,
  );
}

/** Throws PluginError where the digests differ. */
export function assertDigest(
  plugin: string,
  what: string,
  digests: { readonly expected: string; readonly found: string; readonly by: string },
): void {
  const { expected, found, by } = digests;
  if (expected === found) return;
  fail(
    plugin,
    'BF_PLUGIN_DIGEST_MISMATCH',
    `${what} has the SHA-256 ${found}, but ${by} expects ${expected}: it was changed, or is another version. ` +
      'If the change is meant, state the new digest; otherwise get the plugin anew from its maker',
  );
}

async function download(entry: ArtefactEntry, path: string, options: SupplyOptions): Promise<StoredArtefact> {
  const { name } = entry;
  const url = parseDownloadUrl(name, path);
  const expected = statedDigest(entry);
  if (expected === undefined) {
    fail(
      name,
      'BF_PLUGIN_DIGEST_REQUIRED',
      `${shownUrl(url)} is taken only with its digest: add "sha256" (what \`sha256sum\` prints of the file, from who made it) to the entry`,
    );
  }
  if (options.pluginDirectory === undefined) {
    fail(
      name,
      'BF_PLUGIN_DOWNLOAD_REFUSED',
      `${shownUrl(url)} is not fetched: this program has no folder to keep downloads in`,
    );
  }
  const cache = cacheIn(options.pluginDirectory);
  const fileName = decodeURIComponent(basename(url.pathname).replaceAll(/%(?![0-9A-Fa-f]{2})/g, '_'));
  try {
    const known = cache.find(expected, fileName);
    if (known !== undefined) return known;
    const bytes = await fetchArtefact(name, url, options.download ?? {});
    assertDigest(name, shownUrl(url), { expected, found: sha256Of(bytes), by: 'its entry' });
    return await cache.put(bytes, fileName);
  } catch (error) {
    return notTaken(name, shownUrl(url), error);
  }
}

/** Stores what an admin has uploaded; give `path` to an entry. Rejects with PluginError. */
export async function storeUpload(
  plugin: string,
  upload: { readonly bytes: Uint8Array; readonly fileName: string },
  pluginDirectory: string,
): Promise<StoredArtefact> {
  try {
    return await new ArtefactCache(uploadsIn(pluginDirectory)).put(upload.bytes, upload.fileName);
  } catch (error) {
    return notTaken(plugin, upload.fileName, error);
  }
}

/** Whether `located` is of an upload that is whole and still what its entry's digest says. */
function isIntactUpload(entry: ArtefactEntry, located: LocatedArtefact, uploads: string): boolean {
  const expected = statedDigest(entry);
  if (expected === undefined) return false;
  const known = new ArtefactCache(uploads).find(expected, basename(located.file));
  return known !== undefined && (located.file === known.path || located.file.startsWith(known.path + sep));
}

/** Finds the artefact of an entry that has a `path`, and fetches it where that is a URL. Rejects with PluginError. */
export async function supplyArtefact(entry: ArtefactEntry, options: SupplyOptions): Promise<SuppliedArtefact> {
  const { name, path = '' } = entry;
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(path)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'file') {
    const stored = await download(entry, path, options);
    return { ...(await locateArtefact(name, stored.path, options)), source: 'https', isVerified: true };
  }
  const located = await locateArtefact(name, path, options);
  const uploads = options.pluginDirectory === undefined ? undefined : uploadsIn(options.pluginDirectory);
  if (uploads !== undefined && located.file.startsWith(uploads + sep))
    return { ...located, source: 'upload', isVerified: isIntactUpload(entry, located, uploads) };
  return { ...located, source: located.packageName === undefined ? 'file' : 'npm', isVerified: false };
}
