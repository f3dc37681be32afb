import { isBreach } from './channel.ts';
import type { RemoteChannel } from './remote-plugin.ts';

/** Longer than a plugin that ends waits for its next start, which brings a new channel. */
const missedMs = 15_000;

/**
 * What becomes of a channel that its other side has ended. With a process or thread that ends, another one comes. One that breaks its
 * channel, or a program that ends its session and lives on, would be passed over in silence.
 */
export class LostChannel {
  readonly #isGrpc: boolean;
  readonly #disable: (reason: string) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(kind: RemoteChannel['kind'], disable: (reason: string) => void) {
    this.#isGrpc = kind === 'grpc';
    this.#disable = disable;
  }

  tell(reason: string): void {
    if (isBreach(reason)) this.#disable(reason);
    else if (this.#isGrpc) this.#timer = setTimeout(() => this.#disable(reason), missedMs).unref();
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
