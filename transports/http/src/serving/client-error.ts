import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { formatError } from './error-shape.ts';
import type { TransportError } from './error-shape.ts';

interface ParserError extends Error {
  readonly code?: string;
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
};

function explain(code: string): TransportError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return {
        statusCode: 431,
        code: 'BF_HTTP_HEADERS_TOO_LARGE',
        message: 'the head of the request is larger than 64 KiB',
      };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { statusCode: 413, code: 'BF_HTTP_CHUNK_EXTENSIONS', message: 'the chunk extensions are too large' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { statusCode: 408, code: 'BF_HTTP_HEAD_TIMEOUT', message: 'the head of the request took too long' };
    default:
      return {
        statusCode: 400,
        code: 'BF_HTTP_MALFORMED',
        message: `the request is not valid HTTP/1.1 (${code.replace(/^HPE_/, '').toLowerCase()})`,
      };
  }
}

/** Answers what the HTTP parser refused with a JSON error, and closes the connection: its framing is lost. */
export function answerClientError(error: ParserError, socket: Socket): void {
  const isAnswering = (socket as Socket & { _httpMessage?: { headersSent: boolean } | null })._httpMessage?.headersSent;
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering === true) {
    socket.destroy();
    return;
  }
  const explained = explain(error.code ?? 'unknown');
  const body = formatError('unified', explained);
  const head = [
    `HTTP/1.1 ${explained.statusCode} ${reasons[explained.statusCode] ?? 'Bad Request'}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${randomUUID()}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // A peer that neither reads nor closes must not keep the socket.
  setTimeout(() => socket.destroy(), 2000).unref();
}
