/** The admin API in the supervisor: it listens nowhere, the serving threads hand calls over. */
import fastify from 'fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GatewayError } from '@bifrost/sdk';
import type { Logger } from '../logging/logger.ts';
import { formatError } from '../serving/error-shape.ts';
import type { AdminAnswer, AdminHandler, AdminRequest } from './admin-message.ts';
import { addExplainRoutes } from './explain/explain-routes.ts';
import type { ExplanationLog } from './explain/explanation-log.ts';
import { invalid } from './plugins/entry-patch.ts';
import { addPluginRoutes } from './plugins/plugin-routes.ts';
import type { PluginRoutesOptions } from './plugins/plugin-routes.ts';
import type { RecordingDesk } from '@bifrost/framework/recordings';
import { parseJsonBody } from './parse-json-body.ts';
import { addRecordingRoutes } from './recordings/recording-routes.ts';
import { maxUploadBytes, uploadRoute } from './upload-route.ts';

/** Longest name in a path that is looked for: what the serving threads let through. */
const maxNameLength = 4096;

export interface AdminAppOptions {
  readonly logger: Logger;
  readonly plugins: PluginRoutesOptions;
  readonly explanations: ExplanationLog;
  readonly recordings: RecordingDesk;
}

const jsonType = /^application\/([\w.-]+\+)?json\s*(;|$)/i;

function parseBody(
  { routeOptions, headers }: FastifyRequest,
  body: Buffer,
): { readonly body: unknown } | { readonly error: GatewayError } {
  const type = headers['content-type'] ?? '';
  if (routeOptions.url !== uploadRoute) {
    if (jsonType.test(type)) return parseJsonBody(body.toString('utf8'));
    return { error: invalid('the body has to be JSON, sent with `content-type: application/json`') };
  }
  if (!type.startsWith('multipart/')) return { body };
  return { error: invalid('send the file alone as the body (curl: `--data-binary @FILE`), not as a part of a form') };
}

/** The status of an error that has none of its own: a plugin that cannot be loaded is no fault of the gateway. */
function statusOf(error: Error & { readonly statusCode?: number }): number {
  if (GatewayError.isInstance(error) && error.origin === 'plugin' && error.statusCode === 500) return 422;
  return error.statusCode ?? 500;
}

export class AdminApp implements AdminHandler {
  readonly #app: FastifyInstance;

  constructor({ logger, plugins, explanations, recordings }: AdminAppOptions) {
    const app = fastify({ logger: false, bodyLimit: maxUploadBytes, routerOptions: { maxParamLength: maxNameLength } });
    // An upload is bytes, whatever the client calls them (curl: a form); all else is JSON.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
      const parsed = parseBody(request, body as Buffer);
      if ('error' in parsed) done(parsed.error);
      else done(null, parsed.body);
    });
    app.setErrorHandler((thrown, _request, reply) => {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      const statusCode = statusOf(error);
      const isOurs = GatewayError.isInstance(error);
      if (statusCode >= 500 && !isOurs) logger.error('the admin API failed', { error: error.stack ?? error.message });
      const message = statusCode >= 500 && !isOurs ? 'the gateway failed to make the change' : error.message;
      const code = isOurs ? error.code : statusCode >= 500 ? 'BF_ADMIN_FAILED' : 'BF_ADMIN_INVALID';
      return reply
        .code(statusCode)
        .type('application/json')
        .send(formatError('unified', { statusCode, code, message }));
    });
    addPluginRoutes(app, plugins);
    addExplainRoutes(app, explanations);
    addRecordingRoutes(app, { desk: recordings, assertPlugin: (name) => plugins.admin.get(name) });
    this.#app = app;
  }

  /** Answers one call. Never rejects. */
  async handle(request: AdminRequest): Promise<AdminAnswer> {
    const { method, url, contentType, body } = request;
    const response = await this.#app.inject({
      // The route table knows no other.
      method: method as 'GET' | 'POST' | 'PUT' | 'DELETE',
      url,
      headers: contentType === undefined || body === undefined ? {} : { 'content-type': contentType },
      ...(body === undefined ? {} : { payload: Buffer.from(body.buffer, body.byteOffset, body.byteLength) }),
    });
    const type = String(response.headers['content-type'] ?? '');
    if (!type.startsWith('application/octet-stream'))
      return { statusCode: response.statusCode, body: response.payload };
    const headers = { 'content-type': type, 'content-disposition': String(response.headers['content-disposition']) };
    return { statusCode: response.statusCode, body: new Uint8Array(response.rawPayload), headers };
  }

  close(): Promise<void> {
    return this.#app.close();
  }
}
