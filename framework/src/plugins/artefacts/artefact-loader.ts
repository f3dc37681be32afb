/**
 * The seam between what a plugin is made of and where it runs. A loader brings one kind of artefact into the realm that it is
 * called in and gives what a module with that plugin would export; from there on all kinds go one way: checked, configured,
 * initialised and called as hooks. The same loaders serve `inline`, `worker` and `process` isolation.
 */
import type { ArtefactKind, PluginCapabilities, PluginLog, PluginManifest } from '@bifrost/sdk';

export interface ArtefactRequest {
  /** The entry's name, for messages. */
  readonly name: string;
  /** Absolute path of the artefact; it exists, and its header was checked against this machine. */
  readonly file: string;
  /** The load that this belongs to: unique in the realm. */
  readonly generation: string;
  readonly manifest?: PluginManifest;
  /** What the operator has granted. */
  readonly grants: PluginCapabilities;
  /** Bytes that the plugin's own memory may grow to, where the kind can be held to it. */
  readonly maxMemoryBytes?: number;
  readonly log: PluginLog;
}

export interface LoadedArtefact {
  /** As `readPluginModule` takes it: a module namespace, or `{ default: plugin }`. Its `init` was not called. */
  readonly module: object;
  /** Gives back what the realm holds for it, after `cleanup`. Called once. */
  unload?(): void | Promise<void>;
  /** Memory of its own, where it can be told apart, in bytes. */
  memoryBytes?(): number;
}

export interface ArtefactLoader {
  readonly kind: Exclude<ArtefactKind, 'grpc'>;
  /** Rejects with PluginError; nothing is left behind then. */
  load(request: ArtefactRequest): Promise<LoadedArtefact>;
}
