/** A value that may have to be waited for. Without a promise nothing is waited for and no promise is made. */
export type MaybePromise<Value> = Value | Promise<Value>;

/** Goes on with `value`: at once, or when it is there. */
export function andThen<Value, Next>(
  value: MaybePromise<Value>,
  goOn: (value: Value) => MaybePromise<Next>,
): MaybePromise<Next> {
  return value instanceof Promise ? value.then(goOn) : goOn(value);
}
