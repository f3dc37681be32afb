import type { ErrorCatalogue } from '@bifrost/sdk';

/** Every error code that the HTTP side makes, before the engine is asked or while the program starts. */
export const httpErrorCodes = {
  BF_ADMIN_EXPLANATION_UNKNOWN: {
    status: 404,
    cause: 'No explanation of a request with this id is kept.',
    remedy:
      'Send the request with `x-bf-explain: true` and take the `x-request-id` of its answer; the last 200 are kept.',
  },
  BF_ADMIN_FAILED: {
    status: 500,
    cause: 'The admin API failed in a way that it does not know.',
    remedy: "Read the gateway's log, and report it.",
  },
  BF_ADMIN_HANDING_OVER: {
    status: 503,
    cause:
      'Plugins were to be changed while another process takes over from this one, which reads what is stored at its start.',
    remedy: 'Make the change again in a moment: the new process answers then.',
  },
  BF_ADMIN_INVALID: {
    status: 400,
    cause: 'The body or the query of a call to the admin API is not what the route expects.',
    remedy: 'Correct what the message names.',
  },
  BF_ADMIN_TRIAL_REFUSED: {
    status: 409,
    cause: 'A candidate was to be tried for the place of a plugin that does not serve.',
    remedy: 'Enable the plugin, or update it: its status says why it does not serve.',
  },
  BF_ADMIN_TRIAL_STALE: {
    status: 409,
    cause:
      "The plugin's entry was changed while a candidate for its place was tried: to promote the candidate would take that change back.",
    remedy: 'Stage the candidate again with `POST /api/plugins/NAME/canary`: it is tried with the entry as it is now.',
  },
  BF_ADMIN_TRIAL_UNKNOWN: {
    status: 404,
    cause:
      'There is no candidate for the place of this plugin: none was staged, or a restart or a new configuration has dropped it.',
    remedy: 'Stage one with `POST /api/plugins/NAME/canary`.',
  },
  BF_ADMIN_UPLOAD_INVALID: {
    status: 400,
    cause: 'The file name of an uploaded artefact ends in nothing that an artefact ends in.',
    remedy: 'Give the name that the file has, with its extension, as `?file=`.',
  },
  BF_HTTP_ADMIN_OFF: {
    status: 404,
    cause: 'The program runs without an admin API.',
    remedy: 'Start it as `bifrost-http`, which has one.',
  },
  BF_HTTP_ADMIN_TOKEN: {
    status: 401,
    cause: 'A call to the admin API has no admin token, or not the right one.',
    remedy: 'Send `Authorization: Bearer TOKEN`; deleting `admin-token.json` in the app directory makes a new token.',
  },
  BF_HTTP_INFERENCE_KEY: {
    status: 401,
    cause: 'A call to inference has no inference key, or not the right one; beyond loopback each needs it.',
    remedy:
      'Send the key that the first start has shown (or `client.inference_key`, or `BIFROST_INFERENCE_KEY`) where the SDK sends its key; deleting `inference-key.json` in the app directory makes a new one.',
  },
  BF_HTTP_INFERENCE_OPEN: {
    status: 'none',
    cause: 'A gateway that is embedded in another program would serve inference to other machines without a key.',
    remedy: 'Give `client.inference_key`, or set `client.enforce_auth_on_inference` to `false`.',
  },
  BF_HTTP_ACTION_UNKNOWN: {
    status: 404,
    cause: "The path below Gemini's models has no action that is served.",
    remedy: "Ask for `{model}:{action}` with an action of the routes' reference.",
  },
  BF_HTTP_BODIES_IN_FLIGHT: {
    status: 429,
    cause:
      'The bodies of the requests under way take all the memory that `client.max_request_bytes_in_flight_mb` gives them.',
    remedy: 'Send the request again; `Retry-After` says when. Raise that limit where the machine has the memory.',
  },
  BF_HTTP_BODY_ENCODED: {
    status: 415,
    cause:
      'The body is compressed in a way that is not read: another `content-encoding` than `gzip`, `deflate`, `br` or `zstd`, more than one, or any on a route of the admin API.',
    remedy: 'Compress it in one of these ways, once, or send it as it is.',
  },
  BF_HTTP_BODY_NOT_HELD: {
    status: 413,
    cause:
      'The request is translated to another dialect, or a plugin reads its body, so that it has to be in memory as a whole; it is larger than all bodies together may be.',
    remedy: 'Raise `client.max_request_bytes_in_flight_mb`, or send the request in the dialect of its provider.',
  },
  BF_HTTP_BODY_NOT_STORED: {
    status: 503,
    cause: 'A large body could not be put into a temporary file, and there was no room for it in memory either.',
    remedy: "Look at the disk of the app directory and of the system's temporary files: the log names the failure.",
  },
  BF_HTTP_BODY_STALLED: {
    status: 408,
    cause: 'The client stopped sending before its body was complete.',
    remedy: 'Send the whole body without a pause of a minute.',
  },
  BF_HTTP_BODY_TOO_LARGE: {
    status: 413,
    cause: 'The body is larger than `client.max_request_body_size_mb`.',
    remedy: 'Send less, or raise that limit.',
  },
  BF_HTTP_BODY_UNDECODABLE: {
    status: 400,
    cause: 'The body is not what its `content-encoding` says: it could not be decompressed, or its end is missing.',
    remedy: 'Compress the body as the header says, or send it as it is without that header.',
  },
  BF_HTTP_CHUNK_EXTENSIONS: {
    status: 413,
    cause: 'The chunk extensions of a chunked body are too large.',
    remedy: 'Send chunks without extensions.',
  },
  BF_HTTP_ENGINE_MISSING: {
    status: 'none',
    cause: 'The module that should hold the engine exports no `createEngine`.',
    remedy: 'Leave `engineModule` of `startServer` out, or name a module that exports it.',
  },
  BF_HTTP_UPGRADE_REFUSED: {
    status: 426,
    cause: 'The client wants to speak WebSocket on a path that takes plain HTTP requests only.',
    remedy: 'Send the request by POST; clients such as Codex do so by themselves once they read this status.',
  },
  BF_HTTP_FAILED: {
    status: 500,
    cause: 'The HTTP side failed in a way that it does not foresee.',
    remedy: 'Look into the log, where the cause stands, and report it.',
  },
  BF_HTTP_HAND_OVER_FAILED: {
    status: 'none',
    cause: 'After SIGUSR2 the new process did not come to serve; the old one goes on.',
    remedy: 'Read what the new process wrote to the log: a wrong configuration, or a program file that does not start.',
  },
  BF_HTTP_HEADERS_TOO_LARGE: {
    status: 431,
    cause: 'The head of the request is larger than 64 KiB.',
    remedy: 'Send fewer or shorter headers.',
  },
  BF_HTTP_HEADERS_TOO_MANY: {
    status: 431,
    cause: 'The request has more than 2000 headers.',
    remedy: 'Send fewer headers.',
  },
  BF_HTTP_HEADER_MISSING: {
    status: 400,
    cause: 'A header that the operator requires (`client.required_headers`) is missing.',
    remedy: 'Send the header that the message names.',
  },
  BF_HTTP_HEAD_TIMEOUT: {
    status: 408,
    cause: 'The head of the request was not complete in time.',
    remedy: 'Send the head at once.',
  },
  BF_HTTP_HOST_MISSING: {
    status: 400,
    cause: 'The request has no Host header, which HTTP/1.1 requires.',
    remedy: 'Send one.',
  },
  BF_HTTP_HOST_REPEATED: {
    status: 400,
    cause: 'The request has more than one Host header.',
    remedy: 'Send one.',
  },
  BF_HTTP_HOST_REFUSED: {
    status: 403,
    cause: "The gateway listens on loopback only, and the Host is not a loopback name: it could be a web page's own.",
    remedy: 'Call it as `localhost`, `127.0.0.1` or `[::1]`, or let it listen on another address with `-host`.',
  },
  BF_HTTP_HOST_UNKNOWN: {
    status: 'none',
    cause: 'The name given as `-host` cannot be resolved.',
    remedy: 'Give an address of the machine, such as `0.0.0.0`.',
  },
  BF_HTTP_LISTEN_FAILED: {
    status: 'none',
    cause: 'The port is taken, the address is not of this machine, or the user may not listen there.',
    remedy: 'Give another `-port` or `-host`; the message says which it is.',
  },
  BF_HTTP_MALFORMED: {
    status: 400,
    cause: 'The request is not valid HTTP/1.1.',
    remedy: 'Correct the client or the proxy before the gateway; the message names the fault.',
  },
  BF_HTTP_METHOD_NOT_ALLOWED: {
    status: 405,
    cause: 'The path exists, but not for this method.',
    remedy: 'Use a method of the `Allow` header.',
  },
  BF_HTTP_ORIGIN_REFUSED: {
    status: 403,
    cause: 'The gateway listens on loopback only, and a web page of another origin called it.',
    remedy: "Add the page's origin to `client.allowed_origins` if it may use your providers' keys.",
  },
  BF_HTTP_PATH_INVALID: {
    status: 400,
    cause: 'The path has a wrong percent encoding, a control character, a backslash, or a `.` or `..` segment.',
    remedy: 'Send an absolute path in UTF-8.',
  },
  BF_HTTP_ROUTE_UNKNOWN: {
    status: 404,
    cause: 'There is no such route.',
    remedy: "Take a path of the routes' reference; the message names the nearest one.",
  },
  BF_HTTP_THREAD_FAILED: {
    status: 'none',
    cause: 'A serving thread did not start, or did not take the configuration, in time.',
    remedy: 'Read the message; a plugin whose module does not load in time is a common cause.',
  },
  BF_MODELS_PROVIDER_UNKNOWN: {
    status: 400,
    cause: 'The list of models was asked for a provider that is not configured.',
    remedy: 'Leave `provider` out of the query, or name one that the message lists.',
  },
} as const satisfies ErrorCatalogue;

export type HttpErrorCode = keyof typeof httpErrorCodes;
