/** Where a plugin's server is, and whether the way there has to be encrypted. */
import { credentials } from '@grpc/grpc-js';
import type { ChannelCredentials, ClientOptions } from '@grpc/grpc-js';

export interface GrpcTarget {
  /** As grpc-js takes it. */
  readonly target: string;
  readonly credentials: ChannelCredentials;
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/;

/**
 * Reads an address: `unix:/path`, `host:port`, `https://host:port`, `http://host:port`. Prompts travel this way, so other machines
 * are reached with TLS (the system's authorities) unless `http://` says that the network itself is trusted.
 * Throws TypeError for anything else.
 */
export function parseGrpcAddress(address: string): GrpcTarget {
  if (/^unix:\/[^|]+$/.test(address)) return { target: address, credentials: credentials.createInsecure() };
  const match = /^(?:(https?):\/\/)?((?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]):\d{1,5})\/?$/.exec(address);
  const target = match?.[2];
  if (match === null || target === undefined) {
    throw new TypeError(
      `"${address}" is no address: expected unix:/path, host:port, https://host:port or http://host:port`,
    );
  }
  const isPlain = match[1] === 'http' || (match[1] === undefined && loopback.test(target));
  return { target, credentials: isPlain ? credentials.createInsecure() : credentials.createSsl() };
}

/** Options of every client: prompts can be long, a dead peer is noticed, threads do not share a connection. */
export const clientOptions: ClientOptions = {
  'grpc.max_receive_message_length': 67_108_864,
  'grpc.max_send_message_length': -1,
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  'grpc.initial_reconnect_backoff_ms': 100,
};
