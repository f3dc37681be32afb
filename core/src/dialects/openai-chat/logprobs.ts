import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject, TokenLogprob } from '@bifrost/sdk';
import type { MutableJson } from './object-reader.ts';

const keys: ReadonlySet<string> = new Set(['token', 'logprob', 'bytes', 'top_logprobs']);

function decodeOne(raw: Json): TokenLogprob | undefined {
  if (!isJsonObject(raw) || typeof raw['token'] !== 'string' || typeof raw['logprob'] !== 'number') return undefined;
  if (!Object.keys(raw).every((key) => keys.has(key))) return undefined;
  const top = raw['top_logprobs'];
  const decodedTop = Array.isArray(top) ? (top as readonly Json[]).map(decodeOne) : undefined;
  if (decodedTop?.includes(undefined) === true) return undefined;
  return {
    token: raw['token'],
    logprob: raw['logprob'],
    ...(raw['bytes'] === undefined ? {} : { bytes: raw['bytes'] as readonly number[] | null }),
    ...(decodedTop === undefined ? {} : { top: decodedTop as readonly TokenLogprob[] }),
  };
}

/** `logprobs.content`; undefined where an entry has members that the model has no name for. */
export function decodeLogprobs(raw: Json | undefined): readonly TokenLogprob[] | undefined {
  if (!Array.isArray(raw) || raw.length === 0) return undefined;
  const decoded = (raw as readonly Json[]).map(decodeOne);
  return decoded.every((one) => one !== undefined) ? decoded : undefined;
}

function encodeOne(logprob: Omit<TokenLogprob, 'top'>): MutableJson {
  const { token, bytes } = logprob;
  return { token, logprob: logprob.logprob, ...(bytes === undefined ? {} : { bytes }) };
}

/** The reverse of `decodeLogprobs`. */
export function encodeLogprobs(logprobs: readonly TokenLogprob[]): readonly JsonObject[] {
  return logprobs.map((one) =>
    one.top === undefined ? encodeOne(one) : { ...encodeOne(one), top_logprobs: one.top.map(encodeOne) },
  );
}
