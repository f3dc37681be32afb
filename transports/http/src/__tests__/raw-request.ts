import { connect } from 'node:net';

/** Sends bytes as they are and gives back all that came until the server closed (or `until` was seen). */
export function sendRaw(port: number, parts: readonly string[], until?: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    const done = (): void => {
      socket.destroy();
      resolve(received);
    };
    socket.on('data', (chunk) => {
      received += chunk.toString();
      if (until?.test(received) === true) done();
    });
    socket.on('close', done);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (received === '') reject(error);
      else done();
    });
    for (const part of parts) socket.write(part);
  });
}
