import { execFileSync } from 'node:child_process';
import { copyFileSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkPlugin } from '../cli/src/plugin/check-plugin.ts';

const repository = join(import.meta.dirname, '..');
const pages = globSync(['README.md', 'docs/plugins/*.md'], { cwd: repository });

/** Code of the pages that is a whole plugin, and the page that it stands in. */
const plugins = pages.flatMap((page) =>
  [...readFileSync(join(repository, page), 'utf8').matchAll(/^ *```ts\n([\s\S]*?)^ *```/gm)]
    .map((match) => match[1] ?? '')
    .filter((code) => code.includes('export default definePlugin'))
    .map((code, index) => ({ page, name: `${page.replaceAll(/\W/g, '-')}-${index}`, code })),
);

describe('plugins in the pages', () => {
  let folder = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'bifrost-docs-plugins-'));
    const template = join(repository, 'cli/templates/typescript');
    for (const file of ['bifrost-sdk.d.ts', 'tsconfig.json']) copyFileSync(join(template, file), join(folder, file));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    for (const { name, code } of plugins) writeFileSync(join(folder, `${name}.ts`), code);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('are there', () => expect(plugins.length).toBeGreaterThan(3));

  it('pass the type check of a plugin that `bifrost plugin new` makes', () => {
    const tsc = join(repository, 'node_modules/typescript/bin/tsc');
    const check = (): string => {
      try {
        return execFileSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
      } catch (error) {
        return String(Object(error).stdout);
      }
    };
    expect(check()).toBe('');
  });

  it.each(plugins)('are taken by the gateway: $name', async ({ name }) => {
    const entry = { name, path: `./${name}.ts`, enabled: true };
    const { plugin } = await checkPlugin(entry, folder);
    expect(plugin.hooks.length).toBeGreaterThan(0);
  });
});
