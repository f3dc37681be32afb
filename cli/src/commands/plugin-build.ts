import { join, relative, resolve } from 'node:path';
import type { Command } from '../command.ts';
import { buildPlugin } from '../plugin/build-plugin.ts';
import { checkPlugin } from '../plugin/check-plugin.ts';
import { folderOf } from '../plugin/find-entry.ts';
import { UsageError } from '../usage-error.ts';
import { pathPositional } from './plugin-check.ts';

export const pluginBuild: Command = {
  name: 'plugin build',
  summary: 'makes one file of a plugin, with version, digest and manifest',
  positionals: [pathPositional],
  flags: [
    { name: 'out', kind: 'text', value: 'FOLDER', help: "where to write to; default: dist in the plugin's folder" },
    { name: 'version', kind: 'text', value: 'X.Y.Z', help: "stamps this version; default: the manifest's" },
  ],
  details: [
    'A module (TypeScript or JavaScript) is bundled with everything that it imports into NAME.mjs; only @bifrost/sdk stays outside, as ' +
      'the gateway brings it along. For other languages the Makefile (or build.sh) of the folder is run, with VERSION and BUILD_TIME set.',
    'Beside it comes bifrost-plugin.json: the manifest with the version, the build time and `integrity`, the digest of the file. The ' +
      'gateway refuses the file when it is changed afterwards. The time is that of SOURCE_DATE_EPOCH where it is set: the same ' +
      'sources then give the same bytes.',
  ],
  examples: [
    {
      command: 'bifrost plugin build hello --version 1.2.0',
      says: 'hello/dist/hello.mjs and hello/dist/bifrost-plugin.json',
    },
    {
      command: 'bifrost plugin build limits --out limits',
      says: 'a compiled plugin in its own folder, where its config.json looks',
    },
  ],
  async run(context, input) {
    const { directory, environment } = context;
    const [path = ''] = input.positionals;
    const version = input.text('version')?.replace(/^v(?=\d)/, '');
    if (version !== undefined && !/^\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?$/.test(version)) {
      throw new UsageError(`--version takes a semantic version such as 1.2.0, got "${version}"`);
    }
    const stated = input.text('out');
    const out = stated === undefined ? join(folderOf(path, directory), 'dist') : resolve(directory, stated);
    const built = await buildPlugin(path, directory, {
      out,
      environment,
      complain: (line) => context.complain(line),
      ...(version === undefined ? {} : { version }),
    });
    const { manifest, file, bytes } = built;
    const { plugin } = await checkPlugin({ name: manifest.name, enabled: true, path: file }, out).catch(
      (error: unknown) => {
        // A required member of the config is no fault of the build.
        if (error instanceof Error && 'code' in error && error.code === 'BF_PLUGIN_CONFIG_INVALID')
          return { plugin: undefined };
        throw error;
      },
    );
    if (plugin?.version !== undefined && plugin.version !== manifest.version) {
      context.complain(
        `note: the code says version ${plugin.version}, the manifest ${manifest.version}: leave \`version\` out of the code`,
      );
    }
    context.print(`${relative(directory, file) || file}: ${manifest.name} ${manifest.version}, ${bytes} bytes`);
    context.print(`integrity: ${manifest.integrity}`);
    return 0;
  },
};
