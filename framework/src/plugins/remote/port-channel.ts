import type { MessagePort } from 'node:worker_threads';
import { BatchedChannel } from './channel.ts';
import type { Replace } from './channel.ts';

/** A channel over a MessagePort: structured clones. */
export class PortChannel<Out, In> extends BatchedChannel<Out, In> {
  readonly #port: MessagePort;

  constructor(port: MessagePort, replace?: Replace<Out>) {
    super(replace);
    this.#port = port;
    port.on('message', (messages: readonly In[]) => this.receiving(() => this.receive(messages)));
    port.on('messageerror', () => this.end('a message could not be read'));
    port.on('close', () => this.end('the other side has ended'));
  }

  protected write(batch: readonly Out[]): void {
    this.#port.postMessage(batch);
  }

  protected release(): void {
    this.#port.close();
  }
}
