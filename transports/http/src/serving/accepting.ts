import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { createServer, Server, Socket } from 'node:net';
import { duplicateDescriptor } from './duplicate-descriptor.ts';

/** Connections that may wait to be accepted, as far as the system lets them: a thousand clients that come back at once fit in. */
const backlog = 4096;
/** Connections that a thread takes in one turn of its event loop. */
const handles = 8;

/**
 * How a serving thread accepts connections. libuv takes one for each listening handle in a turn of the event loop: a thread whose
 * turn takes 20 ms would accept 50 a second, and callers would wait until the queue overflows and they are reset. So a thread listens on several
 * duplicates of the one socket, and hands what comes on any of them to its server.
 */
export class Accepting {
  /** The thread's own duplicates of the listening socket. */
  readonly descriptors: readonly number[];
  readonly #servers: readonly Server[];
  readonly #adopted = new Set<Socket>();

  private constructor(descriptors: readonly number[], servers: readonly Server[]) {
    this.descriptors = descriptors;
    this.#servers = servers;
  }

  /** Listens on duplicates of `listenDescriptor`. */
  static async begin(server: Server, listenDescriptor: number): Promise<Accepting> {
    // As Node's HTTP server makes its sockets: a client may end its side first, and small writes leave at once.
    const others = Array.from({ length: handles - 1 }, () =>
      createServer({ allowHalfOpen: true, noDelay: true }, (socket) => server.emit('connection', socket)),
    );
    const servers = [server, ...others];
    const descriptors = await Promise.all(servers.map(() => duplicateDescriptor(listenDescriptor)));
    await Promise.all(servers.map((one, index) => listen(one, descriptors[index] ?? listenDescriptor)));
    return new Accepting(descriptors, servers);
  }

  /** Told of what goes wrong with listening from now on. */
  onError(listener: (error: Error) => void): void {
    for (const server of this.#servers) server.on('error', listener);
  }

  /** Has connections that another thread has accepted served as this thread's. */
  adopt(descriptors: readonly number[], serve: (socket: Socket) => void): void {
    for (const descriptor of descriptors) {
      const socket = socketOf(descriptor);
      if (socket === undefined) continue;
      this.#adopted.add(socket);
      socket.once('close', () => this.#adopted.delete(socket));
      serve(socket);
    }
  }

  /** Accepts no more; connections stay as they are. Resolves when the last of them has gone. */
  async stop(): Promise<void> {
    const closed: Promise<unknown>[] = this.#servers.map((server) => once(server, 'close'));
    for (const socket of this.#adopted) closed.push(new Promise((resolve) => socket.once('close', resolve)));
    // http.Server.close() would reset connections that were accepted and have not sent their request yet.
    for (const server of this.#servers) Server.prototype.close.call(server);
    await Promise.all(closed);
  }
}

function listen(server: Server, descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ fd: descriptor, backlog }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Undefined where the client has gone meanwhile, and Node makes no socket of what is left. */
function socketOf(descriptor: number): Socket | undefined {
  try {
    return new Socket({ fd: descriptor, readable: true, writable: true, allowHalfOpen: true });
  } catch {
    closeSync(descriptor);
    return undefined;
  }
}
