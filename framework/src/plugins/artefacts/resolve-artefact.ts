/**
 * From an entry to an artefact that may be loaded: found or fetched, its manifest read, its digest and signature compared, its
 * platform, header, config and grants checked. All of that before any code of the plugin runs, in the main thread.
 */
import { basename, join } from 'node:path';
import { apiRelease, isApiSupported, manifestFileName, PluginError } from '@bifrost/sdk';
import type { ArtefactKind, JsonObject, PluginCapabilities, PluginManifest } from '@bifrost/sdk';
import { didYouMean } from '../../config/suggestion.ts';
import { claimedByManifest, describeFailure } from '../failed-description.ts';
import { assertFiles, assertSignatureBindsAll, pinnedDigest } from './bound-files.ts';
import { fromIntegrity, sha256Of, statedDigest } from './download/integrity.ts';
import { inspectBytes } from './inspection/inspect-artefact.ts';
import type { Inspection } from './inspection/inspect-artefact.ts';
import { matchesPlatform, platformOf, thisMachine } from './inspection/machine.ts';
import type { Machine } from './inspection/machine.ts';
import { nativeSymbols } from './inspection/native-symbols.ts';
import { describeMissingGrants } from './manifest/check-capabilities.ts';
import { joinProblems } from './manifest/parse-manifest.ts';
import { validateJson } from './manifest/json-schema/validate-json.ts';
import { readArtefactFile } from './read-artefact-file.ts';
import { assertTrusted } from './signature/check-trust.ts';
import type { PluginTrust } from './signature/check-trust.ts';
import { assertDigest, supplyArtefact } from './supply-artefact.ts';
import type { ArtefactEntry, SuppliedArtefact, SupplyOptions } from './supply-artefact.ts';
import { examineWasm } from './wasm/examine-wasm.ts';

/** An artefact that was found and checked, and nothing of which has run. Plain data. */
export interface CheckedArtefact {
  readonly kind: ArtefactKind;
  /** Absolute path. */
  readonly file: string;
  /** The plugin's folder: the manifest's, else the file's. */
  readonly directory: string;
  readonly manifest?: PluginManifest;
  /** SHA-256 of `file`, 64 hexadecimal digits. */
  readonly digest: string;
  readonly packageName?: string;
  readonly source: SuppliedArtefact['source'];
  /** The entry's `config` with the defaults of the manifest's schema filled in; absent where the manifest has no schema. */
  readonly config?: JsonObject;
}

export interface ResolveOptions extends SupplyOptions {
  readonly trust?: PluginTrust;
  /** False in the portable build. @default true */
  readonly isNativeAllowed?: boolean;
  /** @default this one */
  readonly machine?: Machine;
}

function fail(plugin: string, code: string, message: string): never {
  throw new PluginError(plugin, message, { code });
}

function assertApi(plugin: string, manifest: PluginManifest): void {
  if (isApiSupported(manifest.api) === true) return;
  fail(
    plugin,
    'BF_PLUGIN_API_VERSION',
    `${manifest.name} ${manifest.version} is written for plugin API ${manifest.api}, and this gateway has ${apiRelease}: ` +
      'use a version of the plugin for that API, or another gateway',
  );
}

function assertPlatform(plugin: string, manifest: PluginManifest, machine: Machine): void {
  const { platforms } = manifest;
  if (platforms === undefined || platforms.some((pattern) => matchesPlatform(pattern, machine) === true)) return;
  fail(
    plugin,
    'BF_PLUGIN_WRONG_PLATFORM',
    `${manifest.name} ${manifest.version} is for ${platforms.join(', ')}, and this gateway runs on ${platformOf(machine)}: ` +
      'get or build it for this platform, and name it in `platforms` of its manifest',
  );
}

/** Extensions that are near those of modules, with what to do. */
const nearModules: Readonly<Record<string, string>> = {
  '.cjs': 'rewrite it as an ES module (`export default`) with one of these extensions',
  '.cts': 'rewrite it as an ES module (`export default`) with one of these extensions',
  '.jsx': 'build it to JavaScript',
  '.tsx': 'build it to JavaScript',
};

function assertKind(plugin: string, file: string, { kind, format, problems }: Inspection): ArtefactKind {
  const extension = /\.[^./\\]*$/.exec(basename(file))?.[0] ?? '';
  if (kind === undefined && (format === 'text' || format === 'empty')) {
    const known = ['.ts', '.mts', '.js', '.mjs'];
    const advice = nearModules[extension] ?? `rename it if it is a module${didYouMean(extension, [...known, '.wasm'])}`;
    fail(
      plugin,
      'BF_PLUGIN_ARTEFACT_UNSUPPORTED',
      `${file} ends in "${extension}", expected ${known.join(', ')}: ${advice}`,
    );
  }
  const [first] = problems;
  if (first !== undefined) fail(plugin, first.code, first.message);
  if (kind === undefined) fail(plugin, 'BF_PLUGIN_ARTEFACT_UNSUPPORTED', `${file} is of no kind that can be loaded`);
  return kind;
}

/** Grants matter where they are enforced: in a process of its own, and for WebAssembly everywhere. */
function assertGrants(entry: ArtefactEntry, wanted: PluginCapabilities | undefined, kind: ArtefactKind): void {
  const isEnforced = entry.isolation === 'process' || kind === 'wasm';
  if (!isEnforced || wanted === undefined) return;
  const message = describeMissingGrants(wanted, entry.capabilities ?? {});
  if (message !== undefined) fail(entry.name, 'BF_PLUGIN_CAPABILITY_MISSING', message);
}

/** The entry's `config` with the schema's defaults; undefined where there is no schema. Throws PluginError with every problem. */
export function checkedConfig(entry: ArtefactEntry, schema: JsonObject | undefined): JsonObject | undefined {
  if (schema === undefined) return undefined;
  const result = validateJson(schema, entry.config ?? {}, 'config');
  // A checked object stays one.
  if ('value' in result) return result.value as JsonObject;
  return fail(entry.name, 'BF_PLUGIN_CONFIG_INVALID', `its config is wrong: ${joinProblems(result.problems)}`);
}

function maxMemoryOf({ memoryLimitBytes }: ArtefactEntry): { readonly maxMemoryBytes?: number } {
  return memoryLimitBytes === undefined ? {} : { maxMemoryBytes: memoryLimitBytes };
}

/** Finds and checks the artefact of an entry that has a `path`. Rejects with PluginError; then nothing of it has run. */
export async function resolveArtefact(entry: ArtefactEntry, options: ResolveOptions): Promise<CheckedArtefact> {
  const found = await supplyArtefact(entry, options);
  try {
    return await check(entry, found, options);
  } catch (error) {
    throw describeFailure(error, claimedByManifest(found.manifest));
  }
}

async function check(entry: ArtefactEntry, found: SuppliedArtefact, options: ResolveOptions): Promise<CheckedArtefact> {
  const { name } = entry;
  const machine = options.machine ?? thisMachine();
  const { file, directory, manifest, packageName, source, isVerified } = found;
  const bytes = await readArtefactFile(name, file);
  const digest = sha256Of(bytes);
  const expected = statedDigest(entry);
  if (expected !== undefined && !isVerified) {
    const pinned = await pinnedDigest(name, found, digest);
    const what = pinned === digest ? file : join(directory, manifestFileName);
    assertDigest(name, what, { expected, found: pinned, by: 'its entry' });
  }
  const bound = manifest?.integrity === undefined ? undefined : fromIntegrity(manifest.integrity);
  if (bound !== undefined)
    assertDigest(name, file, { expected: bound, found: digest, by: 'its manifest (`integrity`)' });
  assertTrusted(name, manifest, options.trust);
  if (manifest !== undefined) await assertFiles(name, directory, manifest);
  await assertSignatureBindsAll(name, found);
  if (manifest !== undefined) {
    assertApi(name, manifest);
    assertPlatform(name, manifest, machine);
  }
  const stated = entry.isolation === 'grpc' ? 'grpc' : manifest?.kind;
  const inspection = inspectBytes(file, bytes, {
    machine,
    nativeSymbols,
    isScriptProgram: manifest?.kind === 'grpc',
    ...(stated === undefined ? {} : { kind: stated }),
    ...(options.isNativeAllowed === undefined ? {} : { isNativeAllowed: options.isNativeAllowed }),
  });
  const kind = assertKind(name, file, inspection);
  if (kind === 'wasm') examineWasm(name, { file, bytes, ...maxMemoryOf(entry) });
  assertGrants(entry, manifest?.capabilities, kind);
  const config = checkedConfig(entry, manifest?.configSchema);
  return {
    kind,
    file,
    directory,
    digest,
    source,
    ...(manifest === undefined ? {} : { manifest }),
    ...(packageName === undefined ? {} : { packageName }),
    ...(config === undefined ? {} : { config }),
  };
}
