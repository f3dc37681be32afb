import { GatewayError } from '@bifrost/sdk';
import type { Command } from '../command.ts';
import { checkPlugin } from '../plugin/check-plugin.ts';
import { findEntry, withConfigHint } from '../plugin/find-entry.ts';

export const configFlag = {
  name: 'config',
  kind: 'text',
  value: 'JSON|FILE',
  help: "the plugin's own `config`; default: that of the entry in config.json beside the plugin, else {}",
} as const;

export const pathPositional = {
  name: 'PATH',
  help: "the plugin: a folder, a file, or an npm package's name",
} as const;

export const pluginCheck: Command = {
  name: 'plugin check',
  summary: 'says what the gateway would say to a plugin, without a gateway',
  positionals: [pathPositional],
  flags: [configFlag],
  details: [
    'Checks what the gateway checks when it loads a plugin: that the file is there, its manifest, digest and signature, plugin API, ' +
      'platform, the header of compiled files (architecture, C library, missing libraries and symbols), names and options of hooks, ' +
      'and the configuration against its schema. The sentences are those of the log and of GET /api/plugins.',
    "The plugin's code is imported into this process, so check only plugins that you would run; `init` is not called. Nothing is " +
      'fetched and nothing is changed.',
  ],
  examples: [
    { command: 'bifrost plugin check hello', says: 'with the configuration of hello/config.json' },
    { command: `bifrost plugin check hello --config '{"greeting": 7}'`, says: 'would this configuration be taken?' },
  ],
  async run(context, input) {
    const [path = ''] = input.positionals;
    const config = input.text('config');
    try {
      const { directory } = context;
      const found = await findEntry(path, { directory, ...(config === undefined ? {} : { config }) });
      const { artefact, plugin } = await checkPlugin(found.entry, found.directory).catch((error: unknown) => {
        throw withConfigHint(error, found, config);
      });
      const { manifest, kind, file } = artefact;
      const version = manifest?.version ?? plugin.version ?? 'without a version';
      context.print(`ok: ${manifest?.name ?? plugin.actualName ?? found.entry.name} ${version}, ${kind}, ${file}`);
      if (plugin.hooks.length > 0)
        context.print(`hooks: ${plugin.hooks.join(', ')}${plugin.isGuard ? ' (guard)' : ''}`);
      else if (kind === 'grpc') context.print('hooks: the program says them when it runs (`bifrost plugin test`)');
      context.print(
        `config: ${found.configFile === undefined ? (config === undefined ? '{}' : 'as given') : found.configFile}`,
      );
      if (manifest !== undefined && plugin.version !== undefined && plugin.version !== manifest.version) {
        context.complain(
          `note: the code says version ${plugin.version}, the manifest ${manifest.version}: leave \`version\` out of the code`,
        );
      }
      return 0;
    } catch (error) {
      if (!GatewayError.isInstance(error)) throw error;
      context.complain(error.message);
      context.complain(`code: ${error.code} (docs/reference/errors.md)`);
      return 1;
    }
  },
};
