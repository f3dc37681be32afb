import { describe, expect, it } from 'vitest';
import { describeMissingGrants, missingGrants } from './check-capabilities.ts';

describe('what a plugin asks for and is not granted', () => {
  it('is told with the line of the configuration that grants it, beside what is granted already', () => {
    const wanted = {
      fs: { read: ['./data/', '/etc/hosts'] },
      net: ['api.example.com:443'],
      env: ['LANG'],
      sqlite: true,
    };
    expect(describeMissingGrants(wanted, { net: ['other.example'], env: ['LANG'] })).toBe(
      'it asks for fs.read (./data/, /etc/hosts), net (api.example.com:443), sqlite, which is not granted: if you agree, write ' +
        '"capabilities": {"net":["other.example","api.example.com:443"],"env":["LANG"],"fs":{"read":["./data/","/etc/hosts"]},"sqlite":true} into its entry',
    );
  });

  it.each([
    ['a folder covers what is below it', { fs: { read: ['data/a/b'] } }, { fs: { read: ['./data/'] } }],
    ['a host covers its ports', { net: ['a.example:8443'] }, { net: ['A.example'] }],
    ['a star covers what is below a domain', { net: ['x.a.example'] }, { net: ['*.a.example'] }],
    ['nothing is asked', {}, {}],
    ['false is not asked', { childProcess: false }, {}],
  ])('is nothing: %s', (_what, wanted, granted) => {
    expect(describeMissingGrants(wanted, granted)).toBeUndefined();
  });

  it.each([
    ['a file is not a folder', { fs: { read: ['data/a'] } }, { fs: { read: ['data'] } }],
    ['a way out of a folder', { fs: { read: ['data/../secret'] } }, { fs: { read: ['data/'] } }],
    ['another port', { net: ['a.example:80'] }, { net: ['a.example:443'] }],
    ['a host when one port is granted', { net: ['a.example'] }, { net: ['a.example:443'] }],
    ['the domain itself', { net: ['a.example'] }, { net: ['*.a.example'] }],
    ['reading does not grant writing', { fs: { write: ['data/'] } }, { fs: { read: ['data/'] } }],
  ])('is something: %s', (_what, wanted, granted) => {
    expect(missingGrants(wanted, granted)).toHaveLength(1);
  });
});
