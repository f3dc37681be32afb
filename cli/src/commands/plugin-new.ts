import { existsSync, readdirSync } from 'node:fs';
import { basename, relative, resolve } from 'node:path';
import { nearestWord } from '@bifrost/framework/suggestion';
import { pluginNamePattern } from '@bifrost/framework/workbench';
import type { Command } from '../command.ts';
import { templates, writeTemplate } from '../plugin/templates.ts';
import type { Template } from '../plugin/templates.ts';
import { UsageError } from '../usage-error.ts';

function templateOf(given: string): Template {
  const aliases: Readonly<Record<string, string>> = {
    ts: 'typescript',
    as: 'assemblyscript',
    golang: 'go',
    python: 'grpc',
    py: 'grpc',
    rs: 'rust',
  };
  const found = templates.find(({ name }) => name === (aliases[given] ?? given));
  if (found !== undefined) return found;
  const names = templates.map(({ name }) => name);
  const near = nearestWord(given, names);
  throw new UsageError(
    `there is no template "${given}": ${near === undefined ? `there are ${names.join(', ')}` : `did you mean ${near}?`}`,
  );
}

export const pluginNew: Command = {
  name: 'plugin new',
  summary: 'writes a plugin that works as it is',
  positionals: [
    { name: 'NAME', help: "the plugin's name, or the folder to write it to; its last part is then the name" },
  ],
  flags: [
    {
      name: 'template',
      kind: 'text',
      value: 'LANGUAGE',
      help: `one of ${templates.map(({ name }) => name).join(', ')}; default: typescript`,
    },
  ],
  details: [
    'Writes a folder with the source, the manifest (bifrost-plugin.json, with a schema of the configuration), a config.json that ' +
      'loads it into a gateway, and a README. Nothing is downloaded, and nothing outside of the folder is changed.',
    ...templates.map(
      ({ name, summary, needs }) => `${name}: ${summary}${needs === undefined ? '' : `. It needs ${needs}`}.`,
    ),
  ],
  examples: [
    { command: 'bifrost plugin new hello', says: 'a plugin in TypeScript, in ./hello' },
    { command: 'bifrost plugin new plugins/limits --template rust', says: 'the plugin "limits" in Rust' },
  ],
  run(context, input) {
    const [path = ''] = input.positionals;
    const folder = resolve(context.directory, path);
    const name = basename(folder);
    if (!pluginNamePattern.test(name)) {
      throw new UsageError(
        `"${name}" cannot be a plugin's name: use letters, digits, ".", "_" and "-", at most 64, beginning with a letter or digit`,
      );
    }
    const template = templateOf(input.text('template') ?? 'typescript');
    if (existsSync(folder) && readdirSync(folder).length > 0) {
      throw new UsageError(`${folder} is there already and has files in it: choose another name, or empty it`);
    }
    const files = writeTemplate(template, folder, name);
    const shown = relative(context.directory, folder) || '.';
    context.print(`${name} is written to ${shown}/: ${files.join(', ')}`);
    context.print('');
    if (template.needs !== undefined && template.isRunAsItIs !== true) {
      context.print(`  bifrost plugin build ${shown}   needs ${template.needs}`);
    }
    context.print(`  bifrost plugin test ${shown}`);
    context.print(`  bifrost-http -config ${shown}/config.json`);
    return Promise.resolve(0);
  },
};
