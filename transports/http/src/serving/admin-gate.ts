import type { ServerResponse } from 'node:http';
import { isCredential } from '@bifrost/framework/credential-hash';
import type { AdminAnswer, AdminRequest } from '../admin/admin-message.ts';
import { maxUploadBytes, uploadRoute } from '../admin/upload-route.ts';
import type { TransportError } from './error-shape.ts';
import type { GatewayRequest } from './gateway-request.ts';
import { readBody } from './read-body.ts';
import { explainBody } from './refusals.ts';
import { sendError } from './send-error.ts';

/** Longest body of a call that brings no artefact. */
const maxBodyBytes = 1024 * 1024;

const challenge = { 'www-authenticate': 'Bearer realm="bifrost admin"' };

/**
 * The admin API in a serving thread: it checks the credential before a byte of the body is read, hands the call to the supervisor
 * and writes its answer.
 */
export class AdminGate {
  readonly #tokenHash: string | undefined;
  readonly #call: (id: number, request: AdminRequest) => void;
  readonly #waiting = new Map<number, ServerResponse>();
  #lastId = 0;

  /** `tokenHash` undefined: there is no admin API in this program. */
  constructor(tokenHash: string | undefined, call: (id: number, request: AdminRequest) => void) {
    this.#tokenHash = tokenHash;
    this.#call = call;
  }

  answer(request: GatewayRequest, response: ServerResponse): void {
    const refusal = this.#refusal(request);
    if (refusal !== undefined) {
      const headers = refusal.statusCode === 401 ? { headers: challenge } : {};
      sendError(request, response, refusal, { surface: 'unified', ...headers });
      return;
    }
    const limit = request.url?.startsWith(uploadRoute) === true ? maxUploadBytes : maxBodyBytes;
    readBody(request, limit, (failure, body) => {
      if (failure === null) this.#hand(request, response, body);
      else if (failure === 'too-large') {
        const message = `the request body is larger than ${limit / 1_048_576} MB`;
        sendError(
          request,
          response,
          { statusCode: 413, code: 'BF_HTTP_BODY_TOO_LARGE', message },
          { surface: 'unified' },
        );
      } else if (failure !== 'aborted') {
        sendError(request, response, explainBody(failure, { limit, roomBytes: 0 }), { surface: 'unified' });
      }
    });
  }

  /** The supervisor's answer to the call with this number. */
  deliver(id: number, { statusCode, body, headers }: AdminAnswer): void {
    const response = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (response === undefined || response.headersSent || response.destroyed) return;
    response
      .writeHead(statusCode, {
        'content-type': 'application/json; charset=utf-8',
        'content-length': String(Buffer.byteLength(body)),
        'cache-control': 'no-store',
        ...headers,
      })
      .end(body);
  }

  #refusal({ headers }: GatewayRequest): TransportError | undefined {
    if (this.#tokenHash === undefined) {
      return { statusCode: 404, code: 'BF_HTTP_ADMIN_OFF', message: 'this program runs without an admin API' };
    }
    const presented = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
    if (presented !== undefined && isCredential(presented, this.#tokenHash)) return undefined;
    const message =
      presented === undefined
        ? 'the admin API needs the admin token: send it as `Authorization: Bearer TOKEN` (the first start has shown it)'
        : 'this is not the admin token; the first start has shown it, and deleting admin-token.json in the app directory makes a new one';
    return { statusCode: 401, code: 'BF_HTTP_ADMIN_TOKEN', message };
  }

  #hand(request: GatewayRequest, response: ServerResponse, body: Buffer): void {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#waiting.set(id, response);
    response.on('close', () => this.#waiting.delete(id));
    const contentType = request.headers['content-type'];
    this.#call(id, {
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      ...(contentType === undefined ? {} : { contentType }),
      // A copy of its own: the buffer may be a piece of a larger one.
      ...(body.length === 0 ? {} : { body: new Uint8Array(body) }),
    });
  }
}
