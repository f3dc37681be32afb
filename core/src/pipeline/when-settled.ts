/**
 * Goes on with a value: at once where it is there, later where it is promised. Hooks are mostly synchronous, and a turn of the
 * microtask queue for each stage of each request adds up.
 */
export function whenSettled<T, R>(value: T | Promise<T>, proceed: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(proceed) : proceed(value);
}
