import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readCarriedFile } from '@bifrost/framework/realms';
import type { Command } from '../command.ts';
import { folderOf } from '../plugin/find-entry.ts';
import { sdkTypesFile } from '../plugin/templates.ts';
import { UsageError } from '../usage-error.ts';

export const pluginTypes: Command = {
  name: 'plugin types',
  summary: 'writes bifrost-sdk.d.ts, the types of the plugin API',
  positionals: [{ name: 'FOLDER', help: 'where the plugin is; default: here', isOptional: true }],
  flags: [],
  details: [
    'A plugin in TypeScript imports @bifrost/sdk, which the gateway brings along. This file tells editors and tsc what is in it, ' +
      'without a package to install. Write it anew when you move to another version of the gateway.',
  ],
  examples: [{ command: 'bifrost plugin types hello', says: 'hello/bifrost-sdk.d.ts is of this version now' }],
  run(context, input) {
    const stated = input.positionals[0] ?? '.';
    const path = resolve(context.directory, stated);
    if (!existsSync(path)) throw new UsageError(`there is no folder ${path}`);
    const file = join(folderOf(stated, context.directory), 'bifrost-sdk.d.ts');
    writeFileSync(file, readCarriedFile(sdkTypesFile));
    context.print(`${file} is written`);
    return Promise.resolve(0);
  },
};
