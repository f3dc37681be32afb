/** What a gRPC plugin says of itself, checked as an inline plugin's shape is. */
import type { PluginManifest } from '@bifrost/sdk';
import { pluginOf, readDescription } from '../../artefacts/json-abi/plugin-description.ts';
import { describeChecked } from '../../describe-plugin.ts';
import { readPluginModule } from '../../read-plugin-module.ts';
import type { PluginDescription } from '../remote-plugin.ts';

const notHere = (): never => {
  throw new Error('the plugin runs elsewhere');
};

/** Reads the JSON of `Describe`; the manifest goes before it. Throws PluginError with the first fault. */
export function readGrpcDescription(name: string, text: string, manifest?: PluginManifest): PluginDescription {
  const stated = readDescription(name, text, manifest);
  const plugin = pluginOf(stated, { create: notHere, call: notHere, view: notHere, destroy: notHere });
  return describeChecked(readPluginModule(name, { default: plugin }));
}
