/** `cache_control` markers: `{type: 'ephemeral', ttl?: '5m' | '1h'}`. */
import type { CacheControl, JsonObject } from '@bifrost/sdk';
import { putBack, takeObject } from './fields.ts';
import type { Fields } from './fields.ts';

/** Takes the marker out of a block, tool or request; an unknown kind of marker stays where it is. */
export function takeCacheControl(fields: Fields): CacheControl | undefined {
  const marker = fields['cache_control'];
  const rest = takeObject(fields, 'cache_control');
  if (rest === undefined) return undefined;
  const { ttl } = rest;
  if (rest['type'] !== 'ephemeral' || (ttl !== undefined && ttl !== '5m' && ttl !== '1h')) {
    fields['cache_control'] = marker;
    return undefined;
  }
  delete rest['type'];
  delete rest['ttl'];
  putBack(fields, 'cache_control', rest);
  return ttl === undefined ? {} : { ttl };
}

/** The marker as Anthropic writes it. */
export function encodeCacheControl(cacheControl: CacheControl): JsonObject {
  return { type: 'ephemeral', ...(cacheControl.ttl === undefined ? {} : { ttl: cacheControl.ttl }) };
}
