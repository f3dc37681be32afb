/** The body of `POST /api/plugins/NAME/recording`. */
import { GatewayError, isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';
import type { RecordingFilter, RecordingRequest } from '@bifrost/framework/recordings';

/** Unless stated otherwise, and at most. */
const defaults = { maxRequests: 100, maxBytes: 67_108_864, seconds: 60 } as const;
const limits = { maxRequests: 10_000, maxBytes: 268_435_456, seconds: 3600 } as const;

type Bound = keyof typeof defaults;

function invalid(message: string): GatewayError {
  return new GatewayError(message, { code: 'BF_ADMIN_INVALID', statusCode: 400 });
}

function boundOf(body: JsonObject, name: Bound): number {
  const value = body[name] ?? defaults[name];
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= limits[name]) return value;
  throw invalid(`${name}: expected a whole number from 1 to ${limits[name]}, got ${JSON.stringify(value)}`);
}

const isText = (value: Json): boolean => typeof value === 'string' && value !== '';
const filterMembers: Readonly<Record<string, readonly [isRight: (value: Json) => boolean, expected: string]>> = {
  path: [isText, 'a path, in which * stands for any characters'],
  provider: [isText, "a provider's name, in which * stands for any characters"],
  model: [isText, 'a model or provider/model, in which * stands for any characters'],
  isStream: [(value) => typeof value === 'boolean', 'true or false'],
  sampling: [(value) => typeof value === 'number' && value > 0 && value <= 1, 'a share of the requests, above 0 to 1'],
};

function filterOf(value: Json | undefined): RecordingFilter {
  if (value === undefined) return {};
  if (!isJsonObject(value)) throw invalid(`filter: expected an object, got ${JSON.stringify(value)}`);
  for (const [name, member] of Object.entries(value)) {
    const rule = Object.hasOwn(filterMembers, name) ? filterMembers[name] : undefined;
    if (rule === undefined)
      throw invalid(`filter.${name} is not known: a filter has ${Object.keys(filterMembers).join(', ')}`);
    const [isRight, expected] = rule;
    if (member === undefined || !isRight(member))
      throw invalid(`filter.${name}: expected ${expected}, got ${JSON.stringify(member)}`);
  }
  // Each member was checked.
  return value as RecordingFilter;
}

/** Throws GatewayError 400. */
export function parseRecordingRequest(plugin: string, body: JsonObject): RecordingRequest {
  const known = ['filter', ...Object.keys(defaults)];
  const unknown = Object.keys(body).find((name) => !known.includes(name));
  if (unknown !== undefined) throw invalid(`"${unknown}" is not known here: a recording has ${known.join(', ')}`);
  return {
    plugin,
    filter: filterOf(body['filter']),
    maxRequests: boundOf(body, 'maxRequests'),
    maxBytes: boundOf(body, 'maxBytes'),
    maxMs: boundOf(body, 'seconds') * 1000,
  };
}
