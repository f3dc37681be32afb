import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGenaiAction } from './genai-action.ts';
import { formatRequestTarget, parseRequestTarget } from './request-path.ts';

describe('request targets', () => {
  it.each([
    ['/v1/models', '/v1/models', ''],
    ['/v1/models?provider=openai', '/v1/models', 'provider=openai'],
    ['/a%2Fb', '/a/b', ''],
    ['/a%252Fb', '/a%2Fb', ''],
    ['/m/gpt-4.1:generate', '/m/gpt-4.1:generate', ''],
    ['/a..b/...', '/a..b/...', ''],
  ])('%s', (url, path, query) => {
    expect(parseRequestTarget(url)).toEqual({ path, query });
  });

  it.each([
    ['http://host:1/v1/models?x', '/v1/models', 'x', 'host:1'],
    ['https://host', '/', '', 'host'],
    ['http://u:p@host/a%20b', '/a b', '', 'u:p@host'],
  ])('%s, with whom it is meant for', (url, path, query, authority) => {
    expect(parseRequestTarget(url)).toEqual({ path, query, authority });
  });

  it.each([
    '/a%00b',
    '/a\u0000b',
    '/a%0d%0ab',
    '/a/..',
    '/../a',
    '/a/..%2fb',
    '/a/%2e%2e/b',
    '/./a',
    '/a\\b',
    '/a%5cb',
    '/a%zz',
    '/a%ff',
    '*',
    'a',
    'ftp://host/a',
  ])('refuses %j', (url) => {
    expect(parseRequestTarget(url)).toHaveProperty('error');
  });

  it('decodes once: what it writes is read as the same path', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const first = parseRequestTarget(`/${encodeURIComponent(text.toWellFormed())}`);
        if ('error' in first) return;
        expect(parseRequestTarget(formatRequestTarget(first))).toEqual(first);
      }),
    );
  });

  it('never lets a dot segment or a control character through', () => {
    const piece = fc.constantFrom('/', '.', '..', '%2e', '%2E', '%2f', '%5c', '\\', '%00', '%25', 'a', '%c0%ae');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const result = parseRequestTarget(`/${pieces.join('')}`);
        if ('error' in result) return;
        expect(result.path.split('/')).not.toContain('..');
        expect(result.path.split('/')).not.toContain('.');
        expect(result.path).not.toMatch(/[\\\0]/);
      }),
    );
  });
});

describe('actions of Gemini paths', () => {
  it.each([
    ['gemini-2.5-pro:generateContent', '', 'gemini-2.5-pro', false, undefined],
    ['openai/gpt-4o:streamGenerateContent', 'alt=sse', 'openai/gpt-4o', true, 'sse'],
    ['a/b/c:streamGenerateContent', 'key=1', 'a/b/c', true, 'json-array'],
    ['model:free:generateContent', '', 'model:free', false, undefined],
  ])('%s?%s', (rest, query, ...expected) => {
    const route = parseGenaiAction(rest, query);
    expect(route).toMatchObject({ operation: 'conversation', isDropIn: true });
    expect([route?.pathModel, route?.pathStream, route?.streamFraming]).toEqual(expected);
  });

  it.each([
    ['m:countTokens', 'count-tokens'],
    ['m:embedContent', 'embeddings'],
    ['m:batchEmbedContents', 'embeddings'],
  ])('%s', (rest, operation) => {
    expect(parseGenaiAction(rest, '')?.operation).toBe(operation);
  });

  it.each(['m', ':generateContent', 'm:', 'm:generate', 'm:constructor', ''])('refuses %j', (rest) => {
    expect(parseGenaiAction(rest, '')).toBeUndefined();
  });
});
