/** Where a plugin's server is, and whether the way there has to be encrypted. */
import { isIP } from 'node:net';
import { credentials } from '@grpc/grpc-js';
import type { ChannelCredentials, ClientOptions } from '@grpc/grpc-js';
import type { GrpcTls } from '../remote-plugin.ts';

export interface GrpcTarget {
  /** As grpc-js takes it. */
  readonly target: string;
  readonly credentials: ChannelCredentials;
  readonly options: ClientOptions;
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/;

/**
 * Reads an address: `unix:/path`, `host:port`, `https://host:port`, `http://host:port`. Prompts travel this way, so other machines
 * are reached with TLS (by `tls`, else the system's authorities) unless `http://` says that the network itself is trusted.
 * Throws TypeError for anything else.
 */
export function parseGrpcAddress(address: string, tls?: GrpcTls): GrpcTarget {
  if (/^unix:\/[^|]+$/.test(address)) return plainTarget(address);
  const match = /^(?:(https?):\/\/)?((?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]):\d{1,5})\/?$/.exec(address);
  const target = match?.[2];
  if (match === null || target === undefined) {
    throw new TypeError(
      `"${address}" is no address: expected unix:/path, host:port, https://host:port or http://host:port`,
    );
  }
  // Who gives certificates wants them used.
  const isPlain = match[1] === 'http' || (match[1] === undefined && tls === undefined && loopback.test(target));
  return isPlain ? plainTarget(target) : secureTarget(target, tls ?? {});
}

function plainTarget(target: string): GrpcTarget {
  return { target, credentials: credentials.createInsecure(), options: clientOptions };
}

function secureTarget(target: string, { ca, client, serverName }: GrpcTls): GrpcTarget {
  const host = target.replace(/:\d+$/, '').replaceAll(/[[\]]/g, '');
  if (serverName === undefined && isIP(host) !== 0) {
    // Node takes no address for the name that a server is asked by.
    throw new TypeError(
      `"${target}" is reached over TLS by a name: state the one of its certificate as tls.server_name`,
    );
  }
  const bytes = (text: string | undefined): Buffer | null => (text === undefined ? null : Buffer.from(text));
  const secure = credentials.createSsl(bytes(ca), bytes(client?.key), bytes(client?.cert));
  const named = serverName === undefined ? {} : { 'grpc.ssl_target_name_override': serverName };
  return { target, credentials: secure, options: { ...clientOptions, ...named } };
}

/** Options of every client: prompts can be long, a dead peer is noticed, threads do not share a connection. */
const clientOptions: ClientOptions = {
  'grpc.max_receive_message_length': 67_108_864,
  'grpc.max_send_message_length': -1,
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  'grpc.initial_reconnect_backoff_ms': 100,
};
