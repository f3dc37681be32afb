import { describe, expect, it } from 'vitest';
import { calledAs, inWordsOf } from '../called-as.ts';
import { findImport } from './bundle-module.ts';

describe('what a module takes from elsewhere', () => {
  it.each([
    [`import { definePlugin } from '@bifrost/sdk';\nimport fs from 'node:fs';`, undefined],
    [`export default { name: 'p' };`, undefined],
    [`const fs = await import('node:fs');`, undefined],
    [`import './other.ts';`, './other.ts'],
    [`import { a,\n b } from "pkg";`, 'pkg'],
    [`export * from './other.js';`, './other.js'],
    [`const a = await import('./later.js');`, './later.js'],
    [`const a = await import(name);`, 'import('],
    [`const a = require('./old.cjs');`, 'require('],
  ])('%j: %s', (code, expected) => expect(findImport(code)).toBe(expected));
});

describe('the name in what the command line says', () => {
  it.each([
    ['/usr/bin/node', '/r/cli/src/main.ts', 'source', 'bifrost'],
    ['/usr/bin/node', '/r/transports/http/src/main.ts', 'source', 'bifrost-http'],
    ['/usr/bin/node', '/p/dist/main.js', 'bundle', 'bifrost-http'],
    ['/usr/bin/node', '/p/node_modules/.bin/bifrost-http', 'bundle', 'bifrost-http'],
    ['/usr/bin/node', '/p/dist/workshop.js', 'bundle', 'bifrost'],
    ['./tmp/bifrost-http', '/r/tmp/bifrost-http', 'executable', 'bifrost-http'],
    ['bifrost-http.exe', 'C:/b/bifrost-http.exe', 'executable', 'bifrost-http'],
    ['/usr/local/bin/bifrost', '/usr/local/bin/bifrost-http', 'executable', 'bifrost'],
  ] as const)('of %s %s from %s is %s', (argv0, script, form, expected) => {
    expect(calledAs(argv0, script, form)).toBe(expected);
  });

  it('stands where a command is to be typed, and nowhere else', () => {
    expect(inWordsOf('bifrost-http', 'try `bifrost plugin new`; the gateway is bifrost-http')).toBe(
      'try `bifrost-http plugin new`; the gateway is bifrost-http',
    );
  });
});
