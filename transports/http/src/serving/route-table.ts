import type { InboundRoute } from '@bifrost/core';

/** In whose shape a path's errors and lists are. `unified` is Bifrost's own. */
export type Surface = 'unified' | 'openai' | 'anthropic' | 'genai';

export type RouteKind =
  | 'inference'
  | 'genai-action'
  | 'list-models'
  | 'health'
  | 'health-live'
  | 'health-ready'
  | 'metrics'
  | 'admin';

/**
 * Who may call it: `public` routes never ask for a credential; `inference` asks for the inference key where the
 * configuration wants it, by default beyond loopback; `admin` asks for the admin token, also on loopback.
 */
export type AuthClass = 'public' | 'inference' | 'admin';

/** One route as data. The server registers these, the tests walk over them. */
export interface RouteEntry {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Exact path; `:name` takes one segment, a trailing `*` the rest. */
  readonly path: string;
  readonly kind: RouteKind;
  readonly surface: Surface;
  readonly auth: AuthClass;
  /** What the engine is told; of `genai-action` routes it is derived from the path. */
  readonly inbound?: InboundRoute;
  /** For the reference page, where the kind does not say it. */
  readonly what?: string;
}

interface InferencePath {
  readonly path: string;
  readonly inbound: Omit<InboundRoute, 'isDropIn' | 'defaultProvider'>;
}

const openaiPaths: readonly InferencePath[] = [
  {
    path: '/chat/completions',
    inbound: { operation: 'conversation', dialect: 'openai-chat', requestType: 'chat_completion' },
  },
  {
    path: '/completions',
    inbound: { operation: 'conversation', dialect: 'openai-completions', requestType: 'text_completion' },
  },
  { path: '/responses', inbound: { operation: 'conversation', dialect: 'openai-responses', requestType: 'responses' } },
  { path: '/embeddings', inbound: { operation: 'embeddings', dialect: 'openai-chat', requestType: 'embedding' } },
];

const anthropicPaths: readonly InferencePath[] = [
  {
    path: '/messages',
    inbound: { operation: 'conversation', dialect: 'anthropic-messages', requestType: 'chat_completion' },
  },
  {
    path: '/messages/count_tokens',
    inbound: { operation: 'count-tokens', dialect: 'anthropic-messages', requestType: 'count_tokens' },
  },
];

interface Mount {
  readonly prefix: string;
  readonly surface: Surface;
  readonly paths: readonly InferencePath[];
  readonly defaultProvider?: string;
}

const mounts: readonly Mount[] = [
  { prefix: '/v1', surface: 'unified', paths: openaiPaths },
  { prefix: '/openai/v1', surface: 'openai', paths: openaiPaths, defaultProvider: 'openai' },
  { prefix: '/openai', surface: 'openai', paths: openaiPaths, defaultProvider: 'openai' },
  { prefix: '/anthropic/v1', surface: 'anthropic', paths: anthropicPaths, defaultProvider: 'anthropic' },
];

function routesOf({ prefix, surface, paths, defaultProvider }: Mount): RouteEntry[] {
  const inference = paths.map(({ path, inbound }): RouteEntry => ({
    method: 'POST',
    path: prefix + path,
    kind: 'inference',
    surface,
    auth: 'inference',
    inbound: {
      ...inbound,
      isDropIn: surface !== 'unified',
      ...(defaultProvider === undefined ? {} : { defaultProvider }),
    },
  }));
  return [...inference, { method: 'GET', path: `${prefix}/models`, kind: 'list-models', surface, auth: 'inference' }];
}

const publicRoute = (path: string, kind: RouteKind): RouteEntry => ({
  method: 'GET',
  path,
  kind,
  surface: 'unified',
  auth: 'public',
});

const adminPaths: readonly (readonly [RouteEntry['method'], path: string, what: string])[] = [
  ['GET', '/api/plugins', 'all plugins with their states'],
  ['POST', '/api/plugins', 'adds a plugin'],
  ['GET', '/api/plugins/builtins', 'names of the plugins that come with the gateway'],
  ['GET', '/api/plugins/loaded', 'names of the plugins that serve'],
  ['PUT', '/api/plugins/sequence', 'places of plugins among the others'],
  ['POST', '/api/plugins/upload', 'takes an artefact: `?name=NAME&file=FILE`, its bytes as the body'],
  ['GET', '/api/plugins/:name', 'one plugin'],
  ['PUT', '/api/plugins/:name', 'changes a plugin; what is left out stays, null takes away'],
  ['DELETE', '/api/plugins/:name', 'removes a plugin'],
  ['POST', '/api/plugins/:name/reload', 'loads a plugin anew from its artefact'],
  ['GET', '/api/plugins/:name/figures', 'calls, errors and times of a plugin by hook'],
  ['GET', '/api/plugins/:name/canary', 'the candidate for the place of a plugin, compared with it'],
  ['POST', '/api/plugins/:name/canary', 'tries another version of a plugin, as a canary or a shadow'],
  ['DELETE', '/api/plugins/:name/canary', 'ends the trial'],
  ['POST', '/api/plugins/:name/canary/promote', 'puts the candidate in the place of the plugin'],
  ['GET', '/api/plugins/:name/recording', 'the recording of the calls of a plugin that runs'],
  ['POST', '/api/plugins/:name/recording', 'records the calls of a plugin in chosen requests'],
  ['DELETE', '/api/plugins/:name/recording', 'ends the recording'],
  ['GET', '/api/recordings', 'recordings that run, and files of those that have ended'],
  ['GET', '/api/recordings/:file', 'a file, encrypted, for `bifrost plugin replay`'],
  ['DELETE', '/api/recordings/:file', 'deletes a file'],
  ['GET', '/api/explain', 'requests whose explanations are kept'],
  ['GET', '/api/explain/:request_id', 'what plugins decided on a request'],
];

/** Where Gemini's `{model}:{action}` begins. @google/genai 3 asks for `v1` unless told otherwise, older ones for `v1beta`. */
export const genaiModelsPath = '/genai/v1beta/models';
const genaiModelsPaths = [genaiModelsPath, '/genai/v1/models'];

/** Every route there is; GET routes answer HEAD too. What is not in here is a 404. */
export const routeTable: readonly RouteEntry[] = [
  ...mounts.flatMap(routesOf),
  ...genaiModelsPaths.flatMap((path): readonly RouteEntry[] => [
    { method: 'GET', path, kind: 'list-models', surface: 'genai', auth: 'inference' },
    { method: 'POST', path: `${path}/*`, kind: 'genai-action', surface: 'genai', auth: 'inference' },
    // The AI SDK takes a model with a slash for a whole resource name, and leaves `models/` away.
    { method: 'POST', path: path.replace(/models$/, '*'), kind: 'genai-action', surface: 'genai', auth: 'inference' },
  ]),
  publicRoute('/health', 'health'),
  publicRoute('/health/live', 'health-live'),
  publicRoute('/health/ready', 'health-ready'),
  publicRoute('/metrics', 'metrics'),
  ...adminPaths.map(([method, path, what]): RouteEntry => ({
    method,
    path,
    what,
    kind: 'admin',
    surface: 'unified',
    auth: 'admin',
  })),
];

/** The surface that a path belongs to by its first segment, whether or not there is such a route. */
export function surfaceOf(path: string): Surface {
  const first = /^\/(openai|anthropic|genai)(?=[/?]|$)/.exec(path)?.[1];
  return first === undefined ? 'unified' : (first as Surface);
}
