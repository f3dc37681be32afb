import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GatewayRequest } from './gateway-request.ts';
import { createHttpServer } from './http-server.ts';
import { readBody } from './read-body.ts';
import type { BodyFailure } from './read-body.ts';

interface Reading {
  readonly failure: BodyFailure | null;
  readonly text: string;
  readonly request: GatewayRequest;
}

const limit = 1000;
const readings: Reading[] = [];
let told: () => void = () => undefined;
/** Answers every body with its text. */
const server = createHttpServer((request, response) => {
  // As where the route is found late.
  if (request.url === '/late') setTimeout(() => take(request, response), 20);
  else take(request, response);
});

function take(request: GatewayRequest, response: ServerResponse): void {
  readBody(request, limit, (failure, body) => {
    readings.push({ failure, text: body.toString(), request });
    if (failure === null) response.end(`<${body.toString()}>`);
    told();
  });
}
let client: Socket;
let received = '';

/** Waits for the n-th body to have been read or refused. */
async function reading(count: number): Promise<Reading> {
  while (readings.length < count) await new Promise<void>((resolve) => (told = resolve));
  return readings[count - 1] as Reading;
}

/** Waits until the client has received a text. */
async function answered(text: string): Promise<void> {
  while (!received.includes(text)) await once(client, 'data');
}

const head = (framing: string, path = '/'): string => `POST ${path} HTTP/1.1\r\nhost: localhost\r\n${framing}\r\n\r\n`;

beforeEach(async () => {
  readings.length = 0;
  received = '';
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.setEncoding('utf8').on('data', (text: string) => (received += text));
  await once(client, 'connect');
});

afterEach(async () => {
  client.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

describe('a taken body', () => {
  it('is whole when it comes with the head', async () => {
    client.write(`${head('content-length: 5')}hello`);
    await answered('<hello>');
  });

  it('is whole when it comes in pieces', async () => {
    client.write(head('content-length: 11'));
    for (const piece of ['he', 'llo ', 'world']) await new Promise((sent) => client.write(piece, sent));
    await answered('<hello world>');
    expect(readings).toHaveLength(1);
  });

  it('is whole when it is chunked', async () => {
    client.write(`${head('transfer-encoding: chunked')}5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`);
    await answered('<hello world>');
  });

  it.each([
    ['with the head', (body: string) => [`content-length: ${body.length}`, body]],
    [
      'in chunks',
      (body: string) => ['transfer-encoding: chunked', `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`],
    ],
  ])('is whole when it came %s before anyone wanted it', async (_how, format) => {
    const [framing = '', text = ''] = format('hello');
    client.write(head(framing, '/late') + text);
    await answered('<hello>');
    client.write(`${head('content-length: 1')}b`);
    await answered('<b>');
  });

  it('is whole when half of it came before anyone wanted it', async () => {
    client.write(`${head('content-length: 5', '/late')}he`);
    await new Promise((resolve) => setTimeout(resolve, 60));
    client.write('llo');
    await answered('<hello>');
  });

  it('leaves the connection fit for the next request, and for several in one packet', async () => {
    client.write(`${head('content-length: 1')}a`);
    await answered('<a>');
    const chunked = `${head('transfer-encoding: chunked')}1\r\nb\r\n0\r\n\r\n`;
    client.write(`${chunked}${head('content-length: 1')}c${head('content-length: 0')}${head('content-length: 1')}d`);
    await answered('<d>');
    expect(received.match(/<.?>/g)).toEqual(['<a>', '<b>', '<c>', '<>', '<d>']);
  });

  it('says that the client went away before it was whole', async () => {
    client.write(`${head('content-length: 5')}he`);
    await once(server, 'request');
    client.destroy();
    expect(await reading(1)).toMatchObject({ failure: 'aborted', text: '' });
  });

  it('lets go of the request once it is answered, so that an idle connection does not hold it', async () => {
    client.write(`${head('content-length: 5')}hello`);
    const { request } = await reading(1);
    await answered('<hello>');
    const { parser } = request.socket as Socket & { readonly parser: { readonly incoming: unknown } };
    expect(request.readableEnded).toBe(true);
    expect(parser.incoming).toBeNull();
  });

  it('is a stream as ever for who does not take it', async () => {
    client.write(`${head(`content-length: ${limit + 1}`)}${'x'.repeat(10)}`);
    const { failure, request } = await reading(1);
    expect(failure).toBe('too-large');
    client.write('y'.repeat(limit - 9));
    const pieces: string[] = [];
    for await (const piece of request) pieces.push(String(piece));
    expect(pieces.join('')).toBe('x'.repeat(10) + 'y'.repeat(limit - 9));
  });
});
