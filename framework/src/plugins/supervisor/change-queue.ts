import { GatewayError } from '@bifrost/sdk';

/** The error of a change that comes too late. */
export function gatewayIsClosing(): GatewayError {
  return new GatewayError('the gateway is shutting down', { code: 'BF_PLUGIN_CLOSING', statusCode: 503 });
}

/** One change to the plugins after the other: each begins on what the one before has left, whether that succeeded or not. */
export class ChangeQueue {
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** Rejects as the change does, and with `BF_PLUGIN_CLOSING` where its turn comes after `close`. */
  add<Result>(change: () => Promise<Result>): Promise<Result> {
    const running = this.#work.then(() => {
      if (this.#isClosed) throw gatewayIsClosing();
      return change();
    });
    this.#work = running.then(
      () => undefined,
      () => undefined,
    );
    return running;
  }

  /** No change begins any more. Resolves when the one under way has ended. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#work;
  }
}
