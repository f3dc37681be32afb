import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const repository = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');
const page = read('docs/reference/headers.md');
const isNamed = (name: string): boolean => page.includes(`\`${name}\``);

/** The members of `const NAME = new Set([...])` in a file. */
function membersOf(path: string, name: string): readonly string[] {
  const body = new RegExp(`const ${name} = new Set\\(\\[([^\\]]*)\\]`).exec(read(path))?.[1] ?? '';
  return [...body.matchAll(/'([^']+)'/g)].map((match) => match[1] ?? '');
}

it('names every header of our own that the source reads or writes, and no other', () => {
  const files = globSync(['core/src/**/*.ts', 'transports/http/src/**/*.ts'], { cwd: repository });
  const product = files.filter((file) => !/\.test\.ts$|__tests__|e2e/.test(file));
  const found = product.flatMap((file) =>
    [...read(file).matchAll(/'(x-bf-[a-z-]*[a-z])'/g)].map((match) => match[1] ?? ''),
  );
  const stated = [...page.matchAll(/`(x-bf-[a-z-]*[a-z])`/g)].map((match) => match[1] ?? '');
  expect(new Set(stated)).toEqual(new Set(found));
  expect(found).toContain('x-bf-lane');
});

it.each([
  ['core/src/pipeline/outbound-headers.ts', 'neverFromCaller'],
  ['core/src/pipeline/response-headers.ts', 'notPassedOn'],
  ['core/src/pipeline/locate-request.ts', 'ownParameters'],
])('names every member of the list in %s', (path, name) => {
  const members = membersOf(path, name);
  expect(members.length).toBeGreaterThan(3);
  expect(members.filter((member) => !isNamed(member))).toEqual([]);
});
