import type { Channel, Urgency } from './channel.ts';

/** A channel that is still being made (its client is being loaded): what is sent meanwhile waits in order. */
export class LateChannel<Out, In> implements Channel<Out, In> {
  #channel: Channel<Out, In> | undefined;
  #waiting: Out[] = [];
  #isClosed = false;
  #listener: (messages: readonly In[]) => void = () => undefined;
  #closeListener: (reason: string) => void = () => undefined;

  constructor(made: Promise<Channel<Out, In>>) {
    made.then(
      (channel) => this.#adopt(channel),
      (error: unknown) => this.#end(error instanceof Error ? error.message : String(error)),
    );
  }

  send(message: Out, urgency?: Urgency): void {
    if (this.#isClosed) return;
    if (this.#channel === undefined) this.#waiting.push(message);
    else this.#channel.send(message, urgency);
  }

  onMessages(listener: (messages: readonly In[]) => void): void {
    this.#listener = listener;
  }

  onClose(listener: (reason: string) => void): void {
    this.#closeListener = listener;
  }

  close(): void {
    this.#channel?.close();
    this.#end('it was closed');
  }

  #adopt(channel: Channel<Out, In>): void {
    if (this.#isClosed) {
      channel.close();
      return;
    }
    this.#channel = channel;
    channel.onMessages((messages) => this.#listener(messages));
    channel.onClose((reason) => this.#end(reason));
    for (const message of this.#waiting) channel.send(message);
    this.#waiting = [];
  }

  #end(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting = [];
    this.#closeListener(reason);
  }
}
