import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCarriedFile } from '@bifrost/framework/realms';
import type { Command } from '../command.ts';
import { folderOf } from '../plugin/find-entry.ts';
import { sdkTypesFile } from '../plugin/templates.ts';

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
    const file = join(folderOf(input.positionals[0] ?? '.', context.directory), 'bifrost-sdk.d.ts');
    writeFileSync(file, readCarriedFile(sdkTypesFile));
    context.print(`${file} is written`);
    return Promise.resolve(0);
  },
};
