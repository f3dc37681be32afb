import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeBody, refuseEncoding } from './decode-body.ts';

const text = '{"model":"m","messages":[]}'.repeat(40);
const limit = 64 * 1024;

const decode = (body: Buffer, header: string | undefined): Promise<string> =>
  new Promise((resolve) => {
    decodeBody(body, header, limit, (failure, decoded) => resolve(failure ?? decoded.toString('utf8')));
  });

describe('decodeBody', () => {
  it.each([
    ['gzip', gzipSync(text)],
    ['GZIP ', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['br', brotliCompressSync(text)],
    ['zstd', zstdCompressSync(text)],
    ['identity', Buffer.from(text)],
    [undefined, Buffer.from(text)],
  ])('reads a body in %s', async (header, body) => {
    expect(await decode(body, header)).toBe(text);
  });

  it.each([
    ['gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['br', brotliCompressSync(text)],
    ['zstd', zstdCompressSync(text)],
  ])('takes no body in %s that lacks its end or is something else', async (header, body) => {
    expect(await decode(body.subarray(0, -3), header)).toBe('undecodable');
    expect(await decode(Buffer.from(text), header)).toBe('undecodable');
  });

  it.each([
    ['gzip', gzipSync(Buffer.alloc(limit + 1))],
    ['zstd', zstdCompressSync(Buffer.alloc(50 * 1024 * 1024))],
  ])('ends a body in %s where it unpacks to more than a body may have', async (header, body) => {
    expect(body.length).toBeLessThan(limit);
    expect(await decode(body, header)).toBe('too-large');
  });

  it('leaves an empty body alone', async () => {
    expect(await decode(Buffer.alloc(0), 'gzip')).toBe('');
  });
});

describe('refuseEncoding', () => {
  it('takes what it can read, once, and only where bodies are read so', () => {
    expect(refuseEncoding('zstd', true)).toBeUndefined();
    expect(refuseEncoding('identity', false)).toBeUndefined();
    expect(refuseEncoding('zstd', false)).toMatchObject({ statusCode: 415 });
    expect(refuseEncoding('gzip, zstd', true)).toMatchObject({ statusCode: 415, code: 'BF_HTTP_BODY_ENCODED' });
    expect(refuseEncoding('compress', true)).toMatchObject({ statusCode: 415 });
  });
});
