/** What a plugin threw in another realm, carried so that the chain says the same of it as of an inline plugin's. */

const maxCharacters = 8192;

/** An error by name and message; anything else by its type, and text if it was text. */
export type ThrownData =
  | { readonly name: string; readonly message: string }
  | { readonly type: string; readonly text?: string };

function cut(text: string): string {
  return text.length <= maxCharacters ? text : `${text.slice(0, maxCharacters)}...`;
}

/** Describes what was thrown. Never throws itself, whatever the value's getters do. */
export function describeThrown(thrown: unknown): ThrownData {
  try {
    if (thrown instanceof Error) return { name: cut(String(thrown.name)), message: cut(String(thrown.message)) };
    return typeof thrown === 'string' ? { type: 'string', text: cut(thrown) } : { type: typeof thrown };
  } catch {
    return { name: 'Error', message: 'threw a value that cannot be read' };
  }
}

const samples: Readonly<Record<string, unknown>> = {
  undefined,
  number: 0,
  boolean: false,
  bigint: 0n,
  symbol: Symbol('thrown by a plugin'),
  function: () => undefined,
};

/** A value of the same kind as was thrown there: an Error with its name and message, or a sample of the type. */
export function reviveThrown(data: ThrownData): unknown {
  if ('type' in data) {
    if (data.type === 'string') return String(data.text);
    return data.type in samples ? samples[data.type] : {};
  }
  const message = String(data.message);
  const error = data.name === 'TypeError' ? new TypeError(message) : new Error(message);
  error.name = String(data.name);
  return error;
}
