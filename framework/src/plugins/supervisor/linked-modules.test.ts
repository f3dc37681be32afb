import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { entry, pluginFolder } from '../__tests__/plugin-folder.ts';
import { answers, lifeOf, setUp, tagging } from './__tests__/managed.ts';

describe('a plugin behind a link that leads elsewhere by now', () => {
  it.each([
    ['its folder, as releases are laid out', '', 'current', './current/main.mjs'],
    ['its file', '/main.mjs', 'linked.mjs', './linked.mjs'],
    ['a file that it imports', '/part.mjs', 'part.mjs', './outer.mjs'],
  ])('is loaded from there: %s', async (_what, target, link, path) => {
    using folder = pluginFolder();
    for (const version of ['1', '2']) {
      mkdirSync(join(folder.path, version));
      folder.write({
        [`${version}/main.mjs`]: tagging(version),
        [`${version}/part.mjs`]: `export const part = '${version}';`,
        'outer.mjs': `import { part } from './part.mjs';
          export const preRequestHook = (ctx, request) => ({ model: request.model + part });`,
      });
    }
    const lead = (to: string): void => {
      symlinkSync(`${to}${target}`, join(folder.path, 'draft'));
      renameSync(join(folder.path, 'draft'), join(folder.path, link));
    };
    lead('1');
    const setup = setUp(folder.path);
    await setup.manager.load([entry('a', path)]);
    expect(await answers(setup)).toEqual(['1', '1']);
    lead('2');
    await setup.manager.reload('a');
    expect(await answers(setup)).toEqual(['2', '2']);
    lifeOf();
  });

  it('may require a folder, and leave out endings', async () => {
    using folder = pluginFolder();
    mkdirSync(join(folder.path, 'lib'));
    folder.write({
      'lib/index.js': `exports.part = require('../more').part;`,
      'more.js': `exports.part = 'required';`,
      'old.cjs': `exports.part = require('./lib').part;`,
      'a.mjs': `import old from './old.cjs'; export const preRequestHook = () => ({ model: old.part });`,
    });
    const setup = setUp(folder.path);
    await setup.manager.load([entry('a', './a.mjs')]);
    expect(await answers(setup)).toEqual(['required', 'required']);
  });
});
