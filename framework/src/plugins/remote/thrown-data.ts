/** What a plugin threw in another realm, carried so that the chain says the same of it as of an inline plugin's. */

import { notePlaceOfThrow, placeOfThrow } from '@bifrost/core/plugins';
import { isJsonObject } from '@bifrost/sdk';
import { FrameError } from './frame-codec.ts';

const maxCharacters = 8192;

/** An error by name and message, with its file and line in the plugin where they are known; anything else by its type, and text if it was text. */
export type ThrownData =
  | { readonly name: string; readonly message: string; readonly place?: string }
  | { readonly type: string; readonly text?: string };

function cut(text: string): string {
  return text.length <= maxCharacters ? text : `${text.slice(0, maxCharacters)}...`;
}

/** Describes what was thrown. Never throws itself, whatever the value's getters do. */
export function describeThrown(thrown: unknown): ThrownData {
  try {
    if (thrown instanceof Error) {
      const place = placeOfThrow(thrown);
      const described = { name: cut(String(thrown.name)), message: cut(String(thrown.message)) };
      return place === undefined ? described : { ...described, place };
    }
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

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/**
 * A value of the same kind as was thrown there: an Error with its name and message, or a sample of the type. Throws FrameError for what
 * describes nothing thrown.
 */
export function reviveThrown(data: ThrownData): unknown {
  const given: unknown = data;
  if (!isJsonObject(given)) throw new FrameError('it has thrown what is not described');
  const { type, text = '', name, message, place } = given;
  if (isText(type) && isText(text)) {
    if (type === 'string') return cut(text);
    return Object.hasOwn(samples, type) ? samples[type] : {};
  }
  if (!isText(name) || !isText(message)) throw new FrameError('it has thrown what is not described');
  const error = name === 'TypeError' ? new TypeError(cut(message)) : new Error(cut(message));
  error.name = cut(name);
  // Only words: a stack would be taken for a sign of whose code it was.
  if (isText(place) && place.length <= 300) notePlaceOfThrow(error, place);
  return error;
}
