/**
 * The least that a proxy in Node can be: `http` in front, undici's `dispatch` behind, nothing read and nothing checked. What a gateway
 * costs beyond it is the gateway's own doing. Run: `node bare-proxy.ts PORT UPSTREAM_PORT`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Pool, type Dispatcher } from 'undici';

const [port, upstreamPort] = process.argv.slice(2).map(Number);
const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { headersTimeout: 0, bodyTimeout: 0, pipelining: 1 });
const upstreamHeaders = ['content-type', 'application/json', 'authorization', 'Bearer sk-bench-upstream'];

function relay(response: ServerResponse): Dispatcher.DispatchHandler {
  return {
    onRequestStart: () => undefined,
    onResponseStart(_controller, statusCode, headers) {
      const passed: Record<string, string | string[]> = {};
      for (const name of ['content-type', 'content-length'])
        if (headers[name] !== undefined) passed[name] = headers[name];
      response.writeHead(statusCode, passed);
    },
    onResponseData: (_controller, chunk) => void response.write(chunk),
    onResponseEnd: () => void response.end(),
    onResponseError: () => void response.destroy(),
  };
}

function forward(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => void chunks.push(chunk));
  request.on('end', () => {
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    const path = request.url ?? '/';
    pool.dispatch({ path, method: 'POST', headers: upstreamHeaders, body }, relay(response));
  });
}

createServer((request, response) => {
  if (request.method === 'POST') forward(request, response);
  else response.end('ok');
}).listen(port, '127.0.0.1');
