/**
 * Finding and checking plugins before any of their code runs, and the tools for those who make them. For the main thread, the
 * admin API and the command line: serving threads need none of it.
 */
export { resolveArtefact } from './resolve-artefact.ts';
export type { CheckedArtefact, ResolveOptions } from './resolve-artefact.ts';
export { storeUpload, toDownloadOptions } from './supply-artefact.ts';
export type { ArtefactEntry } from './supply-artefact.ts';
export { resolveBuiltin } from './resolve-builtin.ts';
export type { BuiltinPlugin } from './resolve-builtin.ts';
export { assertFiles, assertSignatureBindsAll, filesBeside } from './bound-files.ts';
export { locateArtefact } from './locate-artefact.ts';
export type { LocatedArtefact, LocateOptions } from './locate-artefact.ts';
export type { StoredArtefact } from './download/artefact-cache.ts';
export type { DownloadOptions } from './download/fetch-artefact.ts';
export { fromIntegrity, sha256Of, toIntegrity } from './download/integrity.ts';
export { inspectBytes } from './inspection/inspect-artefact.ts';
export { kindByName } from './inspection/kind-by-name.ts';
export type { BinaryFile, Inspection, InspectOptions } from './inspection/inspect-artefact.ts';
export type { ArtefactProblem } from './inspection/artefact-problems.ts';
export { platformOf, thisMachine } from './inspection/machine.ts';
export type { Machine } from './inspection/machine.ts';
export { nativeSymbols } from './inspection/native-symbols.ts';
export { checkManifest, joinProblems, parseManifest } from './manifest/parse-manifest.ts';
export { describeMissingGrants, missingGrants } from './manifest/check-capabilities.ts';
export { maskSecrets, restoreSecrets, secretMask } from './manifest/secrets.ts';
export type { RestoredConfig } from './manifest/secrets.ts';
export { checkJsonSchema } from './manifest/json-schema/check-json-schema.ts';
export { validateJson } from './manifest/json-schema/validate-json.ts';
export { canonicalJson } from './signature/canonical-json.ts';
export { generateSigningKeys, signManifest, verifySignature } from './signature/sign-manifest.ts';
export type { SignatureVerdict, SigningKeys } from './signature/sign-manifest.ts';
export type { PluginTrust } from './signature/check-trust.ts';
