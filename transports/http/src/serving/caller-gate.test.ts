import { hashCredential } from '@bifrost/framework/credential-hash';
import { describe, expect, it } from 'vitest';
import { refuseCaller } from './caller-gate.ts';

const key = 'sk-bf-the-key-of-all-callers';
const hash = hashCredential(key).toString('hex');

describe('refuseCaller', () => {
  it.each([
    { authorization: `Bearer ${key}` },
    { authorization: `bearer  ${key} ` },
    { 'x-api-key': key },
    { 'x-goog-api-key': key },
    { 'api-key': key },
    { 'x-bf-vk': key },
    { authorization: 'Bearer of-another-system', 'x-bf-vk': key },
  ])('lets the key through in %j', (headers) => {
    expect(refuseCaller('inference', headers, hash)).toBeUndefined();
  });

  it.each([
    {},
    { authorization: key },
    { authorization: `Basic ${key}` },
    { authorization: `Bearer ${key}x` },
    { authorization: `Bearer ${key.slice(0, -1)}` },
    { authorization: 'Bearer ' },
    { 'x-api-key': '' },
    { 'x-api-key': `${key}, ${key}` },
    { 'x-bf-vk': hash },
    { cookie: `key=${key}` },
  ])('refuses %j', (headers) => {
    expect(refuseCaller('inference', headers, hash)).toMatchObject({ statusCode: 401, code: 'BF_HTTP_INFERENCE_KEY' });
  });

  it('never says the key, nor what was presented', () => {
    const error = refuseCaller('inference', { 'x-api-key': 'sk-proj-secret' }, hash);
    expect(JSON.stringify(error)).not.toMatch(new RegExp(`${key}|sk-proj-secret|${hash}`));
  });

  it('asks nothing of public routes, nor where no key is asked for', () => {
    expect(refuseCaller('public', {}, hash)).toBeUndefined();
    expect(refuseCaller('inference', {}, undefined)).toBeUndefined();
  });
});
