/**
 * The seam between the gateway and a plugin that runs outside the serving threads (`worker`, `process`, `grpc`). The supervisor
 * owns the plugin; every serving thread calls it over a channel of its own, so that no thread waits for another.
 */
import type { MessagePort } from 'node:worker_threads';
import type { HookName, HookOptionsData, JsonObject } from '@bifrost/sdk';
import type { ConfigViewName } from '../config-view.ts';

/** What a plugin says of itself once it is loaded, as plain data: all that a serving thread needs to build its chain. */
export interface PluginDescription {
  readonly actualName?: string;
  readonly version?: string;
  readonly isGuard: boolean;
  readonly hooks: { readonly [Name in HookName]?: HookOptionsData };
  /** Functions over its config that it has, and that can be called where it runs. */
  readonly configViews?: readonly ConfigViewName[];
}

/** What a connection over TLS is made with, as PEM; what is left out is the system's. */
export interface GrpcTls {
  readonly ca?: string;
  readonly client?: { readonly cert: string; readonly key: string };
  readonly serverName?: string;
}

/** The end of a channel that is posted to a serving thread. */
export type RemoteChannel =
  /** Structured clones over a port, which goes into the transfer list. */
  | { readonly kind: 'port'; readonly port: MessagePort }
  /** Frames over a connected stream socket: a file descriptor of this process that becomes the thread's. */
  | { readonly kind: 'descriptor'; readonly descriptor: number }
  /** gRPC at an address: `unix:/path` or `host:port`. */
  | { readonly kind: 'grpc'; readonly address: string; readonly serviceVersion: string; readonly tls?: GrpcTls };

/** Why a plugin ended that was not asked to. */
export interface RemoteExit {
  /** For operators: `exited with code 3`, `was ended: its memory passed 256 MB`, `was ended: a call blocked it for 5 s`. */
  readonly reason: string;
  /** The hook that it was in, where known. */
  readonly hook?: HookName;
}

/** One running plugin outside the serving threads, as the supervisor holds it. `init` has succeeded. */
export interface RemotePlugin {
  readonly description: PluginDescription;
  /** Opens a channel for one serving thread. */
  openChannel(): Promise<RemoteChannel>;
  /** Called once if it ends by itself, is ended for its memory, its processor time or a call that blocks it. Its channels fail from then on. */
  onExit(listener: (exit: RemoteExit) => void): void;
  /** Asks it what of a config is stored, or shown. Rejects with PluginError. Absent where it cannot be asked. */
  viewConfig?(view: ConfigViewName, config: JsonObject): Promise<JsonObject>;
  /** Memory of its realm in bytes, as last seen. */
  memoryBytes(): number | undefined;
  /** Processors that its realm has used on average over the last seconds. */
  cpuLoad(): number | undefined;
  /** Runs `cleanup` once and ends it: within 1 s after the cleanup's deadline nothing of it is left. Never rejects. */
  close(): Promise<void>;
}
