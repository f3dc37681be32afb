import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

const repository = join(import.meta.dirname, '..');
const pages = globSync('**/*.md', { cwd: repository, exclude: (path) => /node_modules|recordings|^tmp/.test(path) });

/** Relative targets of a page's links, without their anchors. */
function targetsOf(text: string): readonly string[] {
  const outsideCode = text.replaceAll(/^```[\s\S]*?^```/gm, '');
  const targets = [...outsideCode.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => (match[1] ?? '').replace(/#.*$/, ''));
  return targets.filter((target) => target !== '' && !/^[a-z]+:/.test(target));
}

it('finds the pages', () => expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/operating.md'])));

it.each(pages)('every relative link of %s leads somewhere', (page) => {
  const targets = targetsOf(readFileSync(join(repository, page), 'utf8'));
  const dead = targets.filter((target) => !existsSync(join(repository, dirname(page), target)));
  expect(dead).toEqual([]);
});
