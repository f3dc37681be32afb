/**
 * What a plugin says of itself without being run: `bifrost-plugin.json` beside the artefact, or the `bifrost` member of an npm
 * package's `package.json`. The host reads it before any code of the plugin, so a plugin that must not run never does.
 */
import type { HookOptionsData, HookName } from './hooks.ts';
import type { JsonObject } from './json.ts';

/** The file that a plugin's folder is known by. */
export const manifestFileName = 'bifrost-plugin.json';

/**
 * What an artefact is. `module`: TypeScript or JavaScript; `wasm`: WebAssembly; `native`: a shared library with the C ABI of
 * `bifrost_plugin.h`; `node-addon`: a Node-API `.node`; `grpc`: a program, or a remote address, that speaks `bifrost_plugin.proto`.
 */
export type ArtefactKind = 'module' | 'wasm' | 'native' | 'node-addon' | 'grpc';

/**
 * What a plugin needs of the machine: stated in the manifest, granted by the operator in the entry's `capabilities`. Enforced in
 * `process` isolation (and for wasm in every isolation); elsewhere a plugin is trusted code, and the statement is documentation.
 */
export interface PluginCapabilities {
  /** Files and folders, absolute or relative to the plugin's folder. A folder ends in `/` and includes all below it. */
  readonly fs?: { readonly read?: readonly string[]; readonly write?: readonly string[] };
  /** `host` or `host:port`, `*.example.com` for all below a domain. */
  readonly net?: readonly string[];
  /** Names of environment variables that the plugin may see. */
  readonly env?: readonly string[];
  readonly childProcess?: boolean;
  readonly workerThreads?: boolean;
  /** Native add-ons and `node:ffi`. */
  readonly native?: boolean;
  readonly sqlite?: boolean;
}

/** A plugin's manifest. */
export interface PluginManifest {
  /** Letters, digits, `.`, `_` and `-`. */
  readonly name: string;
  /** Semantic version of the plugin. */
  readonly version: string;
  /** The plugin API that it was written for: `1`, `1.1`, or a range `>=1.0 <2`. See `isApiSupported`. */
  readonly api: string;
  /** The artefact, relative to the manifest; for `grpc` the program. */
  readonly main: string;
  /** @default by the file's extension */
  readonly kind?: ArtefactKind;
  readonly description?: string;
  readonly license?: string;
  readonly homepage?: string;
  /** `os-arch` or `os-arch-libc`, each part a name as Node has it or `*`: `linux-x64-glibc`, `linux-*-musl`. Absent: any. */
  readonly platforms?: readonly string[];
  /** JSON Schema (2020-12) of the entry's `config`. Fields with `"secret": true` are masked wherever the config is shown. */
  readonly configSchema?: JsonObject;
  readonly capabilities?: PluginCapabilities;
  /** `sha256-` and the base64 digest of `main`, as in Subresource Integrity. */
  readonly integrity?: string;
  /**
   * The same of every other file of the folder, by its path with `/`: then no other file may be there. Written by `bifrost plugin
   * sign`, as a signature has to bind all that the plugin may load.
   */
  readonly files?: Readonly<Record<string, string>>;
  /** Ed25519 over the manifest without this member (RFC 8785 form), base64, with the key's name. */
  readonly signature?: { readonly keyId: string; readonly ed25519: string };
  /** A guard may deny and fails closed. For artefacts that cannot say so themselves. */
  readonly guard?: boolean;
  /** Options of hooks, for artefacts that cannot state them in code (wasm, native, grpc). */
  readonly hooks?: { readonly [Name in HookName]?: HookOptionsData };
  /** Stamped by `bifrost plugin build`: ISO 8601 time and what built it. */
  readonly build?: { readonly time?: string; readonly commit?: string; readonly tool?: string };
}
