/**
 * The network of a plugin's process: `net.Socket.connect` asks the gateway for a connection and takes the connected socket over;
 * everything of Node that speaks TCP (http, https, tls, http2, fetch, WebSocket) goes through it. The permission model denies the
 * rest.
 */
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import { PluginError } from '@bifrost/sdk';
import { refusedCode } from './refusal.ts';

/** The gateway's answer: a descriptor of a connected socket, or why there is none. */
export type Connected =
  | { readonly descriptor: number }
  | { readonly error: { readonly code: string; readonly message: string } };

export type Connect = (host: string, port: number, done: (connected: Connected) => void) => void;

interface ConnectOptions {
  readonly host?: string;
  readonly port?: number | string;
  readonly path?: string;
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
  readonly keepAliveInitialDelay?: number;
  readonly socket?: unknown;
}

type Normalized = readonly [options: ConnectOptions, listener: (() => void) | null];

/** Names inside Node 26 that this rests on; a test fails where a version has others. */
interface NetInternals {
  _normalizeArgs(args: readonly unknown[]): Normalized;
}

interface SocketInternals {
  _handle: object | null;
  connecting: boolean;
  _unrefTimer?(): void;
  _undestroy?(): void;
  [adopt: symbol]: (handle: object) => void;
}

const internals = net as unknown as NetInternals;

function adoptSymbol(): symbol {
  const symbols = Object.getOwnPropertySymbols(net.Socket.prototype);
  const found = symbols.find(({ description }) => description === 'kReinitializeHandle');
  if (found === undefined) throw new Error('this version of Node has no way to give a socket another handle');
  return found;
}

/** Takes the handle out of a socket made for the descriptor: it becomes the handle of the plugin's own socket. */
function handleOf(descriptor: number): object | null {
  const made = new net.Socket({ fd: descriptor, readable: false, writable: false }) as unknown as SocketInternals;
  const handle = made._handle;
  made._handle = null;
  return handle;
}

function normalize(args: readonly unknown[]): Normalized {
  // Node passes arguments on that it has normalised already.
  return Array.isArray(args[0]) ? (args[0] as unknown as Normalized) : internals._normalizeArgs(args);
}

export function guardNetwork(plugin: string, connect: Connect): void {
  const adopt = adoptSymbol();
  const finish = (socket: Socket, options: ConnectOptions, connected: Connected): void => {
    const inner = socket as unknown as SocketInternals;
    if ('error' in connected) {
      const { code, message } = connected.error;
      const error =
        code === refusedCode ? new PluginError(plugin, message, { code }) : Object.assign(new Error(message), { code });
      socket.destroy(error);
      return;
    }
    const handle = handleOf(connected.descriptor);
    if (socket.destroyed || handle === null) {
      (handle as { close?(): void } | null)?.close?.();
      return;
    }
    inner[adopt]?.(handle);
    inner.connecting = false;
    if (options.noDelay === true) socket.setNoDelay(true);
    if (options.keepAlive === true) socket.setKeepAlive(true, options.keepAliveInitialDelay);
    inner._unrefTimer?.();
    socket.emit('connect');
    socket.emit('ready');
    if (socket.readable && !socket.isPaused()) socket.read(0);
  };
  net.Socket.prototype.connect = function connectThroughGateway(this: Socket, ...args: readonly unknown[]): Socket {
    const [options, listener] = normalize(args);
    const inner = this as unknown as SocketInternals;
    if (this.destroyed) {
      inner._handle = null;
      inner._undestroy?.();
    }
    inner.connecting = true;
    if (listener !== null) this.once('connect', listener);
    inner._unrefTimer?.();
    if (typeof options.path === 'string') {
      const message = `a connection to the socket ${options.path} is refused: a plugin connects to hosts that it is granted (plugins[].capabilities.net)`;
      process.nextTick(finish, this, options, { error: { code: refusedCode, message } });
    } else connect(options.host ?? 'localhost', Number(options.port), (connected) => finish(this, options, connected));
    return this;
  };
  guardTls();
  syncBuiltinESMExports();
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** `tls.connect` makes a socket of its own kind; given one that connects through the gateway it takes that. */
function guardTls(): void {
  const original = tls.connect;
  const guarded = (...args: readonly unknown[]): tls.TLSSocket => {
    const [normalized, listener] = internals._normalizeArgs(args);
    // `connect(port, host, options)`: what the options say comes on top.
    const given = args.find((argument, index): argument is object => index > 0 && isObject(argument));
    const options = { ...normalized, ...given };
    const socket = options.socket === undefined ? net.connect(options as net.NetConnectOpts) : options.socket;
    return original({ ...options, socket } as tls.ConnectionOptions, listener ?? undefined);
  };
  Object.assign(tls, { connect: guarded });
}
