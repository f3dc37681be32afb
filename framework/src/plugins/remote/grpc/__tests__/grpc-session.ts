/** Starts plugins for tests and speaks with them over one session. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HookName, JsonObject, PluginLog, RequestFacts } from '@bifrost/sdk';
import { GrpcChannel } from '../grpc-channel.ts';
import { startGrpcPlugin } from '../start-grpc-plugin.ts';
import type { GrpcPluginOptions } from '../start-grpc-plugin.ts';
import type { GrpcTls, RemotePlugin } from '../../remote-plugin.ts';
import type { RunnerMessage } from '../../protocol.ts';

export const facts: RequestFacts = {
  requestId: 'r',
  requestType: 'chat_completion',
  method: 'POST',
  path: '/v1/chat/completions',
  isStream: true,
};

const examples = fileURLToPath(new URL('../../../../../../examples/plugins/', import.meta.url));
export const exampleDirectory = (name: string): string => join(examples, name);

/** Lines as `level message`. */
export function collectingLog(): { readonly log: PluginLog; readonly lines: string[] } {
  const lines: string[] = [];
  const write = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  return { lines, log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') } };
}

export interface StartedPlugin extends AsyncDisposable {
  readonly plugin: RemotePlugin;
  readonly lines: readonly string[];
}

/** Starts a program that is JavaScript text, or a command. */
export async function startProgram(
  program:
    | { readonly script: string }
    | { readonly command: string; readonly args: readonly string[]; readonly directory: string },
  options: Partial<GrpcPluginOptions> & { readonly config?: JsonObject } = {},
): Promise<StartedPlugin> {
  const { log, lines } = collectingLog();
  const how =
    'script' in program
      ? {
          command: process.execPath,
          args: ['--input-type=module', '-e', program.script],
          directory: exampleDirectory('grpc-typescript'),
        }
      : program;
  const plugin = await startGrpcPlugin({
    name: 'p',
    config: {},
    log,
    program: { ...how, environment: { PATH: '/usr/bin:/bin' } },
    ...options,
  });
  return { plugin, lines, [Symbol.asyncDispose]: () => plugin.close() };
}

/** One serving thread's session. */
export class TestSession implements Disposable {
  readonly #channel: GrpcChannel;
  readonly #waiting = new Map<number, (message: RunnerMessage) => void>();
  #lastCall = 0;
  readonly ended: Promise<string>;

  constructor(address: string, tls?: GrpcTls) {
    this.#channel = new GrpcChannel(address, tls);
    this.#channel.onMessages((messages) => {
      for (const message of messages) this.#waiting.get('call' in message ? message.call : -message.stream)?.(message);
    });
    this.ended = new Promise((resolve) => this.#channel.onClose(resolve));
  }

  static async of(plugin: RemotePlugin): Promise<TestSession> {
    const channel = await plugin.openChannel();
    if (channel.kind !== 'grpc') throw new TypeError('expected a gRPC channel');
    return new TestSession(channel.address, channel.tls);
  }

  call(hook: HookName, input: unknown, request = 1): Promise<RunnerMessage> {
    this.#lastCall += 1;
    const call = this.#lastCall;
    return new Promise((resolve) => {
      this.#waiting.set(call, resolve);
      this.#channel.send({ kind: 'call', call, request, hook, input, facts });
    });
  }

  [Symbol.dispose](): void {
    this.#channel.close();
  }
}
