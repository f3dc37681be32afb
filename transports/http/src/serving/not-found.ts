import { nearestWord } from '@bifrost/framework/suggestion';
import { genaiActions } from './genai-action.ts';
import type { TransportError } from './error-shape.ts';
import { genaiModelsPath, routeTable } from './route-table.ts';
import type { RouteEntry } from './route-table.ts';

/** True for a path that has one name in the place of each `:name` of the pattern. */
function isNamed(pattern: string, path: string): boolean {
  const [stated, given] = [pattern.split('/'), path.split('/')];
  return (
    pattern.includes('/:') &&
    stated.length === given.length &&
    stated.every((part, index) => part === given[index] || (part.startsWith(':') && given[index] !== ''))
  );
}

/** A path's routes, whatever the method. */
function methodsOf(path: string): string[] {
  const exact = routeTable.filter((route) => route.path === path || isNamed(route.path, path));
  const isBelow = ({ path: pattern }: RouteEntry): boolean =>
    pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1));
  const matches = exact.length > 0 ? exact : routeTable.filter(isBelow);
  const methods = matches.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  return [...new Set(methods)];
}

export interface Unrouted {
  readonly error: TransportError;
  readonly headers?: Readonly<Record<string, string>>;
}

/** RFC 9110, section 15.5.22: a 426 names the protocol that is wanted in the place of the one that was asked for. */
const plainHttpHeaders = { upgrade: 'HTTP/1.1', connection: 'upgrade' } as const;

/**
 * Why no route takes this request: 426 where it asks for a WebSocket on a path that takes POST, 405 where the path exists for another
 * method, else 404 with the nearest route.
 */
export function explainUnrouted(method: string, path: string, upgrade?: string): Unrouted {
  const methods = methodsOf(path);
  // Codex tries a WebSocket first. After a 405 it tries six times more, for ten seconds; after this one it sends the request at once.
  if (methods.includes('POST') && upgrade?.toLowerCase() === 'websocket') {
    const message = 'this path takes no WebSocket; send the request by POST';
    return { error: { statusCode: 426, code: 'BF_HTTP_UPGRADE_REFUSED', message }, headers: plainHttpHeaders };
  }
  if (methods.length > 0) {
    const allow = methods.join(', ');
    return {
      error: {
        statusCode: 405,
        code: 'BF_HTTP_METHOD_NOT_ALLOWED',
        message: `${method} is not allowed on this path; it takes ${allow}`,
      },
      headers: { allow },
    };
  }
  const shown = path.length > 200 ? `${path.slice(0, 200)}...` : path;
  const near = nearestWord(path.slice(0, 200), new Set(routeTable.map((route) => route.path)));
  const hint = near === undefined ? '; see the route table in the documentation' : `; did you mean ${near}?`;
  return {
    error: { statusCode: 404, code: 'BF_HTTP_ROUTE_UNKNOWN', message: `there is no route ${method} ${shown}${hint}` },
  };
}

/** A path below Gemini's models that names no action that is served. */
export function explainUnknownGenaiAction(rest: string): TransportError {
  const action = rest.slice(rest.lastIndexOf(':') + 1).slice(0, 100);
  const near = nearestWord(action, genaiActions);
  const hint = near === undefined ? `one of ${genaiActions.join(', ')}` : near;
  return {
    statusCode: 404,
    code: 'BF_HTTP_ACTION_UNKNOWN',
    message: `expected ${genaiModelsPath}/{model}:{action} with the action ${hint}`,
  };
}
