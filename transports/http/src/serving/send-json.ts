import type { ServerResponse } from 'node:http';

/** Answers with a JSON value. Node leaves the body out where the request was HEAD. */
export function sendJson(
  response: ServerResponse,
  statusCode: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = JSON.stringify(value);
  response
    .writeHead(statusCode, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      ...headers,
    })
    .end(body);
}
