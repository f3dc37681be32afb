/** The supervisor's end of a child's control connection, with the channels that go through it where no socket can be handed over. */
import { MessageChannel } from 'node:worker_threads';
import type { Duplex } from 'node:stream';
import type { FromRunner, ToRunner } from '../control.ts';
import type { RunnerMessage, ThreadMessage } from '../protocol.ts';
import type { RemoteChannel } from '../remote-plugin.ts';
import { openStream, SocketChannel } from '../socket-channel.ts';
import { Tunnel } from '../tunnel.ts';
import { readControl } from './read-control.ts';

/** Answers about connections and questions about config; with tunnels also all that serving threads send. */
const maxUnreadControlBytes = 16_777_216;

export interface ProcessControlOptions {
  onMessage(message: FromRunner): void;
  /** The other side has closed it, or said what is no message. */
  onClose(reason: string): void;
  readonly maxMessageBytes: number;
}

export class ProcessControl {
  readonly #channel: SocketChannel<ToRunner, FromRunner>;
  readonly #maxMessageBytes: number;
  readonly #tunnels = new Map<number, Tunnel>();

  constructor(socket: Duplex, options: ProcessControlOptions) {
    this.#maxMessageBytes = options.maxMessageBytes;
    this.#channel = new SocketChannel(openStream(socket), {
      isImmediate: true,
      maxReadBytes: options.maxMessageBytes,
      maxUnreadBytes: maxUnreadControlBytes,
    });
    this.#channel.onMessages((messages) => {
      for (const said of messages) {
        const message = readControl(said);
        if (message?.kind === 'tunnel') this.#deliver(message);
        else if (message !== undefined) options.onMessage(message);
      }
    });
    this.#channel.onClose((reason) => {
      for (const tunnel of this.#tunnels.values()) tunnel.destroy();
      options.onClose(reason);
    });
  }

  send(message: ToRunner): void {
    this.#channel.send(message);
  }

  /** A channel to a serving thread that goes through this thread. */
  openTunnel(channel: number): RemoteChannel {
    const { port1, port2 } = new MessageChannel();
    const tunnel = new Tunnel((body) => this.send({ kind: 'tunnel', channel, input: { body } }));
    this.#tunnels.set(channel, tunnel);
    const frames = new SocketChannel<ThreadMessage, RunnerMessage>(openStream(tunnel), {
      maxReadBytes: this.#maxMessageBytes,
    });
    port1.on('message', (messages: readonly ThreadMessage[]) => {
      for (const message of messages) frames.send(message);
    });
    port1.on('close', () => frames.close());
    frames.onMessages((messages) => port1.postMessage(messages));
    frames.onClose(() => {
      port1.close();
      this.#tunnels.delete(channel);
      this.send({ kind: 'tunnel', channel, input: {} });
    });
    this.send({ kind: 'open', channel, isTunnelled: true });
    return { kind: 'port', port: port2 };
  }

  close(): void {
    this.#channel.close();
  }

  #deliver({ channel, input }: Extract<FromRunner, { readonly kind: 'tunnel' }>): void {
    const { body } = input;
    if (body instanceof Uint8Array) this.#tunnels.get(channel)?.deliver(body);
  }
}
