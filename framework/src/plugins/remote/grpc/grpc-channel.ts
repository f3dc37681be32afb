import type { ClientDuplexStream } from '@grpc/grpc-js';
import { BatchedChannel, breachWords } from '../channel.ts';
import type { Replace } from '../channel.ts';
import type { RunnerMessage, ThreadMessage } from '../protocol.ts';
import type { GrpcTls } from '../remote-plugin.ts';
import { parseGrpcAddress } from './grpc-address.ts';
import { fromPluginMessage, toHostMessage } from './grpc-messages.ts';
import { createPluginClient } from './plugin-service.ts';
import type { PluginClient } from './plugin-service.ts';

/** A channel over one session of a plugin's gRPC server. */
export class GrpcChannel extends BatchedChannel<ThreadMessage, RunnerMessage> {
  readonly #client: PluginClient;
  readonly #session: ClientDuplexStream<object, object>;

  constructor(address: string, tls?: GrpcTls, replace?: Replace<ThreadMessage>) {
    super(replace);
    const { target, credentials, options } = parseGrpcAddress(address, tls);
    this.#client = createPluginClient(target, credentials, options);
    this.#session = this.#client.session();
    this.#session.on('data', (batch: { readonly messages: readonly object[] }) => this.#take(batch.messages));
    this.#session.on('error', (error: Error) => this.end(`its session broke: ${error.message}`));
    this.#session.on('end', () => this.end('it ended its session'));
  }

  protected write(batch: readonly ThreadMessage[]): void {
    this.#session.write({ messages: batch.map(toHostMessage) });
  }

  protected release(): void {
    this.#session.cancel();
    this.#client.close();
  }

  #take(messages: readonly object[]): void {
    try {
      this.receiving(() => this.receive(messages.map(fromPluginMessage)));
    } catch (error) {
      this.end(breachWords.wrote(error));
    }
  }
}
