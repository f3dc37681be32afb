/** Each case of docs/plugins/troubleshooting.md, produced for real: the page and the messages cannot part. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openFailureBench } from './__tests__/failure-bench.ts';
import type { Case } from './__tests__/failure-bench.ts';
import { fileCases } from './__tests__/file-cases.ts';
import { nativeCases } from './__tests__/native-cases.ts';
import { supplyCases } from './__tests__/supply-cases.ts';
import { missingTools } from './__tests__/toolchain.ts';

const page = readFileSync(join(import.meta.dirname, '../../../../docs/plugins/troubleshooting.md'), 'utf8');

interface PageCase {
  readonly title: string;
  readonly template: string;
  readonly pattern: RegExp;
}

/** Every `###` section with its message; `<words>` stand for anything, `<hint>`s for nothing too. */
function readPage(): readonly PageCase[] {
  const sections = page.split(/^### /m).slice(1);
  return sections.map((section) => {
    const title = section.slice(0, section.indexOf('\n'));
    const template = /```text\n([\s\S]*?)\n```/.exec(section)?.[1] ?? '';
    const parts = template.split(/(<[a-zA-Z ]+>)/).map((part) => {
      if (part === '<hint>' || part === '<others>') return '(?:; .+?)?';
      if (/^<[a-zA-Z ]+>$/.test(part)) return '[^\\n]+?';
      return part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    });
    return { title, template, pattern: new RegExp(`^${parts.join('')}(?:, or, if it speaks [^\\n]+)?$`) };
  });
}

const documented = readPage();
const bench = await openFailureBench();
afterAll(async () => {
  await bench.server[Symbol.asyncDispose]();
  bench[Symbol.dispose]();
});

const cases: Readonly<Record<string, Case>> = { ...fileCases(bench), ...nativeCases(bench), ...supplyCases(bench) };

it('has a page that tells the cases of the tests, and no others', () => {
  expect(documented.map(({ title }) => title).toSorted()).toEqual(Object.keys(cases).toSorted());
});

describe.each(documented)('$title', ({ title, pattern }) => {
  const { tools = [], produce } = cases[title] ?? { produce: async () => [] };
  const absent = missingTools(...tools);
  // Go builds its runtime anew.
  const timeout = 180_000;
  it.skipIf(absent.length > 0)(
    `says what the page says (missing: ${absent.join(', ') || 'nothing'})`,
    { timeout },
    async () => {
      const messages = await produce();
      expect(messages.length).toBeGreaterThan(0);
      for (const message of messages) expect(message).toMatch(pattern);
    },
  );
});
