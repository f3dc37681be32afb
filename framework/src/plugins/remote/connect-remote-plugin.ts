/** Makes of a channel to a plugin that runs elsewhere the hooks that a serving thread puts into its chains. */
import { fstatSync } from 'node:fs';
import type { ContextOwner, PluginHooks, RequestContext } from '@bifrost/core';
import { hookNames } from '@bifrost/sdk';
import type { ModelInfo } from '@bifrost/sdk';
import type { Channel, Replace } from './channel.ts';
import { LateChannel } from './late-channel.ts';
import { PortChannel } from './port-channel.ts';
import type { RunnerMessage, ThreadMessage } from './protocol.ts';
import { RemoteCalls } from './remote-calls.ts';
import type { PluginDescription, RemoteChannel } from './remote-plugin.ts';
import { SocketChannel, socketStream } from './socket-channel.ts';

export interface ConnectOptions {
  /** The entry's name. */
  readonly name: string;
  /** The gateway's catalogue, asked for each request's model. */
  readonly getModelInfo?: (provider: string, model: string) => ModelInfo | undefined;
  /** As of `RemoteCalls`. */
  readonly onLost?: (reason: string) => void;
  /** Longest message that is accepted from the plugin. @default 67108864 */
  readonly maxMessageBytes?: number;
}

/** A plugin that runs elsewhere, as one thread sees it. */
export interface ConnectedPlugin {
  /** For `PluginInstance.hooks`: each with the options that the plugin declared. Handlers reject at once after the end. */
  readonly hooks: PluginHooks;
  /** For `PluginInstance.onRequestEnd`. */
  readonly onRequestEnd: (request: ContextOwner) => void;
  /** Why calls fail; undefined while they are answered. */
  readonly endReason: string | undefined;
  /** Calls, requests and streams that are under way. */
  readonly size: RemoteCalls['size'];
  /** Ends the channel; what is under way fails. `reason` is what the calls' errors say. */
  close(reason?: string): void;
}

export const defaultMaxMessageBytes = 67_108_864;

/** In one thread, of one plugin. */
const maxUnreadBytes = 16_777_216;

function openChannel(
  channel: RemoteChannel,
  options: ConnectOptions,
  replace: Replace<ThreadMessage>,
): Channel<ThreadMessage, RunnerMessage> {
  if (channel.kind === 'port') return new PortChannel(channel.port, replace);
  if (channel.kind === 'grpc') {
    const { address, tls } = channel;
    // Loaded by threads that have such a plugin, and by no others.
    return new LateChannel(
      import('./grpc/grpc-channel.ts').then(({ GrpcChannel }) => new GrpcChannel(address, tls, replace)),
    );
  }
  // A descriptor that was closed meanwhile must not become somebody else's file: libuv would abort the process on a wrong type.
  if (!fstatSync(channel.descriptor).isSocket()) throw new TypeError(`descriptor ${channel.descriptor} is no socket`);
  return new SocketChannel(socketStream(channel.descriptor), {
    replace,
    maxUnreadBytes,
    maxReadBytes: options.maxMessageBytes ?? defaultMaxMessageBytes,
  });
}

/** Takes the channel over: its port or descriptor belongs to the connection from now on. Throws where it is none. */
export function connectRemotePlugin(
  description: PluginDescription,
  channel: RemoteChannel,
  options: ConnectOptions,
): ConnectedPlugin {
  const { name, getModelInfo, onLost } = options;
  const replace = (message: ThreadMessage, why: unknown): undefined => {
    calls.failUnsent(message, why);
  };
  const calls = new RemoteCalls(openChannel(channel, options, replace), {
    pluginName: name,
    ...(getModelInfo === undefined ? {} : { getModelInfo }),
    ...(onLost === undefined ? {} : { onLost }),
  });
  const hooks: Record<string, unknown> = {};
  for (const hook of hookNames) {
    const declared = description.hooks[hook];
    if (declared === undefined) continue;
    const handler = (context: RequestContext, input: unknown): Promise<unknown> => calls.call(hook, context, input);
    hooks[hook] = { ...declared, handler };
  }
  return {
    // What the hooks return is checked by the chains, as an inline plugin's is.
    hooks: hooks as PluginHooks,
    onRequestEnd: (request) => calls.endRequest(request),
    get endReason() {
      return calls.endReason;
    },
    get size() {
      return calls.size;
    },
    close: (reason = 'it was closed') => calls.end(reason),
  };
}
