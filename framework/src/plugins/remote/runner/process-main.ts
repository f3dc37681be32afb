/** Entry of a plugin's own process. */
import { realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { loadersOfRealm } from '../../artefacts/loaders-of-realm.ts';
import { codeDirectories } from '../../../realms/index.ts';
import type { FromRunner, RunnerStart, ToRunner } from '../control.ts';
import { openStream, SocketChannel, socketStream } from '../socket-channel.ts';
import type { OpenStream } from '../socket-channel.ts';
import { Tunnel } from '../tunnel.ts';
import { guardEnvironment } from './guard-environment.ts';
import { guardNetwork } from './guard-network.ts';
import type { Connected } from './guard-network.ts';
import { lockProcess } from './lock-process.ts';
import { PluginRunner } from './plugin-runner.ts';
import { inherited, openDescriptorSource } from './receive-descriptors.ts';
import type { DescriptorSource } from './receive-descriptors.ts';
import { explainRefusal, refusalOf } from './refusal.ts';
import { RunnerConnection } from './runner-connection.ts';

const noMark = { enter: () => undefined, leave: () => undefined };

class PluginProcess {
  readonly #control: SocketChannel<FromRunner, ToRunner>;
  readonly #descriptors: DescriptorSource | undefined;
  readonly #tunnels = new Map<number, Tunnel>();
  readonly #connecting = new Map<number, (connected: Connected) => void>();
  #runner: PluginRunner | undefined;
  #maxMessageBytes = 0;
  #connections = 0;

  constructor() {
    // Taken before plugins' code can see it: the gateway has gone, and so do we.
    const { reallyExit: end } = process as unknown as { readonly reallyExit: (this: void, code: number) => never };
    this.#descriptors = process.permission?.has('ffi') === true ? openDescriptorSource() : undefined;
    this.#control = new SocketChannel<FromRunner, ToRunner>(socketStream(inherited.control), {
      isImmediate: true,
    });
    this.#control.onClose(() => end(0));
    this.#control.onMessages((messages) => {
      for (const message of messages) this.#receive(message);
    });
  }

  #receive(message: ToRunner): void {
    switch (message.kind) {
      case 'start':
        void this.#start(message.start);
        break;
      case 'open':
        this.#open(message.channel, message.isTunnelled === true);
        break;
      case 'tunnel':
        if (message.input.body === undefined) this.#tunnels.get(message.channel)?.destroy();
        else this.#tunnels.get(message.channel)?.deliver(message.input.body);
        break;
      case 'ping':
        this.#control.send({ kind: 'pong', ping: message.ping });
        break;
      case 'models':
        this.#runner?.learn(message.models);
        break;
      case 'connected':
        this.#onConnected(message.connection, message.error);
        break;
      case 'view':
        void this.#runner?.view(message.id, message.view, message.config);
        break;
      case 'close':
        void this.#runner?.close();
        break;
    }
  }

  async #start(start: RunnerStart): Promise<void> {
    const { name, capabilities = {} } = start.entry;
    this.#maxMessageBytes = start.maxMessageBytes;
    if (process.permission === undefined) {
      const message = 'its process was started without the permission model of Node, and so does not load it';
      this.#control.send({ kind: 'failed', code: 'BF_PLUGIN_ISOLATION_MISSING', message });
      return;
    }
    const report = (message: string): void =>
      this.#control.send({ kind: 'log', level: 'warn', message: `plugin ${name}: ${message}`, fields: {} });
    const isNative = capabilities.native === true;
    const runner = new PluginRunner({
      send: (message) => this.#control.send(message),
      activity: this.#descriptors?.activity ?? noMark,
      importModule: (specifier) => import(specifier),
      loaders: loadersOfRealm,
      explain: (thrown) => explainRefusal(name, thrown),
    });
    this.#runner = runner;
    const escape = (thrown: unknown): void => runner.escape(thrown);
    process.on('unhandledRejection', escape);
    process.on('uncaughtException', escape);
    guardNetwork(name, (host, port, done) => this.#connect({ host, port }, done));
    guardEnvironment(report);
    if (capabilities.sqlite !== true) refuseSqlite(name);
    lockProcess({ plugin: name, realm: 'process', isNativeGranted: isNative });
    if (!isNative) process.permission.drop('ffi');
    // What loads it is our own code, which must be there before the right to read it is given up.
    await loadersOfRealm(start.artefact.kind);
    for (const directory of codeDirectories()) dropCode(directory, start.artefact.file);
    void runner.start(start);
  }

  #open(channel: number, isTunnelled: boolean): void {
    let stream: OpenStream;
    if (isTunnelled) {
      const tunnel = new Tunnel((body) => this.#control.send({ kind: 'tunnel', channel, input: { body } }));
      this.#tunnels.set(channel, tunnel);
      tunnel.on('close', () => this.#tunnels.delete(channel));
      stream = openStream(tunnel);
    } else {
      const descriptor = this.#descriptors?.take();
      if (descriptor === undefined) return;
      stream = socketStream(descriptor);
    }
    const options = { replace: RunnerConnection.replace, maxWrittenBytes: this.#maxMessageBytes };
    this.#runner?.connect(new SocketChannel(stream, options));
  }

  #connect(
    { host, port }: { readonly host: string; readonly port: number },
    done: (connected: Connected) => void,
  ): void {
    this.#connections += 1;
    const connection = this.#connections;
    this.#connecting.set(connection, done);
    this.#control.send({ kind: 'connect', connection, host, port });
  }

  #onConnected(connection: number, error: { readonly code: string; readonly message: string } | undefined): void {
    const descriptor = error === undefined ? this.#descriptors?.take() : undefined;
    const done = this.#connecting.get(connection);
    this.#connecting.delete(connection);
    if (done === undefined) return;
    if (descriptor !== undefined) done({ descriptor });
    else done({ error: error ?? { code: 'ECONNABORTED', message: 'the connection was not handed over' } });
  }
}

/** Without its flag the module is not there at all: this says why where it is asked for. */
function refuseSqlite(plugin: string): void {
  const original = process.getBuiltinModule.bind(process);
  const guarded = (id: string): object | undefined => {
    if (/^(node:)?sqlite$/.test(id)) throw refusalOf(plugin, 'using node:sqlite', 'sqlite', 'sqlite: true');
    return original(id);
  };
  Object.defineProperty(process, 'getBuiltinModule', { value: guarded, writable: false, configurable: false });
}

/**
 * Our own code is loaded, and the plugin needs none of it. Packages it may share with us; and to drop a folder drops all below it, also
 * what is the plugin's own.
 */
function dropCode(directory: string, plugin: string): void {
  const folder = `${realpathSync(directory)}/`;
  if (basename(directory) !== 'node_modules' && !plugin.startsWith(folder)) {
    process.permission?.drop('fs.read', folder);
  }
}

new PluginProcess();
