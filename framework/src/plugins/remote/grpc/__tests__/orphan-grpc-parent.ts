/** A program that starts a gRPC plugin which hangs once it serves, says the pids, and waits to be killed. Argument: the plugin's script. */
import { startGrpcPlugin } from '../start-grpc-plugin.ts';

const [, , file = ''] = process.argv;
const write = (message: string): void => void process.stdout.write(`${message}\n`);
await startGrpcPlugin({
  name: 'p',
  config: {},
  log: { debug: write, info: write, warn: write, error: write },
  program: { command: process.execPath, args: [file], directory: '/', environment: { PATH: '/usr/bin:/bin' } },
}).catch((error: unknown) => write(`failed: ${String(error)}`));
write('started');
setInterval(() => undefined, 1000);
