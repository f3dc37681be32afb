/** How a plugin's promise ended, or that it did not within its deadline. */
export type Settled =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'threw'; readonly thrown: unknown }
  | { readonly kind: 'timeout' };

const timedOut: Settled = { kind: 'timeout' };

/** True for a promise and anything else with a `then`. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** Waits for `promise`, at most `timeoutMs`. Never rejects; a result or rejection that comes later is ignored. */
export function settleWithin(promise: PromiseLike<unknown>, timeoutMs: number): Promise<Settled> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs, timedOut);
    const failed = (thrown: unknown): void => {
      clearTimeout(timer);
      resolve({ kind: 'threw', thrown });
    };
    try {
      promise.then((value) => {
        clearTimeout(timer);
        resolve({ kind: 'value', value });
      }, failed);
    } catch (thrown) {
      // A plugin's own thenable.
      failed(thrown);
    }
  });
}
