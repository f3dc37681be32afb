/** Asks a guest of `bifrost-plugin/1` to describe itself and makes the plugin of it. */
import type { ArtefactRequest } from '../../artefact-loader.ts';
import type { Guest } from '../guest.ts';
import type { HostScope } from '../host-scope.ts';
import { createGuestPlugin } from './create-plugin.ts';
import { readDescription } from './description.ts';
import { Exchange } from './exchange.ts';

/** Throws PluginError. */
export function loadAbi1({ name, manifest }: ArtefactRequest, guest: Guest, scope: HostScope): object {
  const exchange = new Exchange(name, guest);
  const described = exchange.call('describe', 'null')?.value;
  return createGuestPlugin(readDescription(name, described, manifest), { guest, exchange, scope });
}
