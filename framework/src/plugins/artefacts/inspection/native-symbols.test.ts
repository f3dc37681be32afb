import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { nativeSymbols } from './native-symbols.ts';

const header = join(import.meta.dirname, '../../../../../sdk/native/bifrost_plugin.h');

it.skipIf(!existsSync(header))('asks for what bifrost_plugin.h declares', () => {
  const declared = [...readFileSync(header, 'utf8').matchAll(/^BIFROST_EXPORT .*?\b(bifrost_plugin_\w+)\(/gm)];
  const known = new Set([...nativeSymbols.required, ...nativeSymbols.optional]);
  expect(new Set(declared.map((match) => match[1]))).toEqual(known);
});
