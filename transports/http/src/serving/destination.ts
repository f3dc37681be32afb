import type { InboundRoute } from '@bifrost/core';
import { parseGenaiAction } from './genai-action.ts';
import { parseRequestTarget } from './request-path.ts';
import type { RouteEntry } from './route-table.ts';

/** Where in the engine a request goes. */
export interface Destination {
  readonly route: InboundRoute;
  /** The path as the engine and its plugins see it. */
  readonly path: string;
  /** The raw query, without `?`; empty when none. */
  readonly query: string;
  /** Most bytes of the body. */
  readonly limit: number;
}

/** The destination of a target on an `inference` or `genai-action` route; of the latter undefined where there is no such action. */
export function destinationOf(entry: RouteEntry, target: string, limit: number): Destination | undefined {
  const mark = target.indexOf('?');
  const query = mark === -1 ? '' : target.slice(mark + 1);
  if (entry.inbound !== undefined) return { route: entry.inbound, path: entry.path, query, limit };
  const parsed = parseRequestTarget(target);
  if ('error' in parsed) return undefined;
  const route = parseGenaiAction(genaiActionPart(entry, parsed.path), parsed.query);
  return route && { route, path: parsed.path, query, limit };
}

/** `{model}:{action}` of a path on a `genai-action` route. */
export function genaiActionPart(entry: RouteEntry, path: string): string {
  return path.slice(entry.path.length - 1);
}
