/**
 * A value while it is put together. On the way of every request optional members are set one after the other: a spread of
 * `condition ? {} : {...}` makes an object for each and costs several times as much.
 */
export type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
