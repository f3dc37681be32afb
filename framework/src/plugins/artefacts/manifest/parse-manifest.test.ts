import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Json } from '@bifrost/sdk';
import { manifestSchema } from './manifest-schema.ts';
import { checkManifest, joinProblems, parseManifest } from './parse-manifest.ts';

const page = readFileSync(join(import.meta.dirname, '../../../../../docs/plugins/manifest.md'), 'utf8');
const base = { name: 'p', version: '1.0.0', api: '1', main: 'p.so' };

function problemsOf(manifest: Json): readonly string[] {
  const result = checkManifest(manifest);
  return 'problems' in result ? result.problems.map(({ path, message }) => `${path}: ${message}`) : [];
}

describe('a manifest', () => {
  it('is right as the page has it', () => {
    const example = /```json\n([\s\S]*?)\n```/.exec(page)?.[1] ?? '';
    expect(parseManifest('p', 'bifrost-plugin.json', example).name).toBe('redactor');
  });

  it('has the members that the page tells of, and no others', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    const told = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1]));
    expect(new Set(told)).toEqual(new Set(Object.keys(manifestSchema.shape)));
  });

  it('is told of by path and problem, what is wrong with all of it by the problem alone', () => {
    const problems = [
      { path: '', message: 'expected an object' },
      { path: 'hooks.a', message: 'unknown' },
    ];
    expect(joinProblems(problems)).toBe('expected an object; hooks.a: unknown');
  });

  it('has all its problems told at once', () => {
    const manifest = {
      name: 'a b',
      version: '1',
      api: 'newest',
      main: '/etc/passwd',
      kind: 'binary',
      platforms: ['linux'],
      integrity: 'md5-x',
      hooks: { preLLMHook: { timeoutMs: 0 } },
      capabilities: { network: [] },
      configSchema: { properties: { a: { type: 'int' } } },
    };
    expect(problemsOf(manifest).map((text) => text.split(':')[0])).toEqual([
      'name',
      'version',
      'api',
      'main',
      'kind',
      'platforms[0]',
      'capabilities',
      'integrity',
      'hooks.preLLMHook.timeoutMs',
      'configSchema.properties.a.type',
    ]);
  });

  it.each<[string, Json, string]>([
    ['no object', [], ': expected an object, got an array'],
    ['a missing member', { name: 'p', version: '1.0.0', api: '1' }, 'main: is missing; expected a string'],
    ['a way out', { ...base, main: 'a/../../b' }, 'main: expected a path below'],
    ['a drive', { ...base, main: 'C:/b' }, 'main: expected a path below'],
    ['a misspelt member', { ...base, plattforms: [] }, 'unknown key "plattforms"; did you mean "platforms"?'],
    [
      'a misspelt hook',
      { ...base, hooks: { preLLMHok: {} } },
      'hooks: unknown key "preLLMHok"; did you mean "preLLMHook"?',
    ],
    ['a libc that is none', { ...base, platforms: ['linux-x64-uclibc'] }, 'platforms[0]: expected "os-arch"'],
  ])('may be wrong: %s', (_what, manifest, message) => {
    expect(problemsOf(manifest).join('\n')).toContain(message);
  });

  it('that is no JSON is told with line and column, and nothing of its text', () => {
    expect(() => parseManifest('p', 'm.json', '{\n  "token": secret\n}')).toThrow(/m\.json:2:12 is not JSON/);
    expect(() => parseManifest('p', 'm.json', '{\n  "token": secret\n}')).not.toThrow(/secret/);
  });
});
