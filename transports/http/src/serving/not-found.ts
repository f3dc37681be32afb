import { nearestWord } from '@bifrost/framework/suggestion';
import { genaiActions } from './genai-action.ts';
import type { TransportError } from './error-shape.ts';
import { genaiModelsPath, routeTable } from './route-table.ts';

/** A path's routes, whatever the method. */
function methodsOf(path: string): string[] {
  const matches = routeTable.filter((route) =>
    route.path.endsWith('*') ? path.startsWith(route.path.slice(0, -1)) : route.path === path,
  );
  const methods = matches.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  return [...new Set(methods)];
}

export interface Unrouted {
  readonly error: TransportError;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Why no route takes this request: 405 where the path exists for another method, else 404 with the nearest route. */
export function explainUnrouted(method: string, path: string): Unrouted {
  const methods = methodsOf(path);
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
