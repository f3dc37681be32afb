/** A cell of artefact and isolation with the trivial plugin loaded, and its floor. */
import { dirname } from 'node:path';
import type { PluginInstance } from '@bifrost/core';
import { pluginSchema, toPluginEntry } from '@bifrost/framework/workbench';
import { resolveEntry } from '../../../cli/src/plugin/check-plugin.ts';
import { cellsOf } from '../../../cli/src/plugin/plugin-cells.ts';
import type { PluginCell } from '../../../transports/http/src/e2e/plugin-cells.ts';
import type { Floor } from './floor.ts';
import { addonFloor, bifrostAbiFloor, moduleFloor, nativeFloor, wasmFloor } from './inline-floors.ts';
import { grpcFloor, processFloor, workerFloor } from './remote-floors.ts';
import { buildTrivialPlugin } from './trivial-plugins.ts';
import { measuredHooks } from './measured-hooks.ts';
import type { MeasuredHook } from './measured-hooks.ts';
import type { TrivialLanguage } from './trivial-plugins.ts';

export interface MeasuredCell {
  readonly language: TrivialLanguage;
  readonly isolation: PluginCell['isolation'];
}

export interface OpenCell {
  readonly instance: PluginInstance;
  readonly floor: Floor;
  /** Those of the measured hooks that the plugin has. */
  readonly hooks: readonly MeasuredHook[];
  close(): Promise<void>;
}

function openFloor({ language, isolation }: MeasuredCell, file: string, folder: string): Floor | Promise<Floor> {
  if (isolation === 'worker') return workerFloor();
  if (isolation === 'process') return processFloor();
  switch (language) {
    case 'module':
      return moduleFloor(file);
    case 'wasm':
    case 'wasm-assemblyscript':
      return wasmFloor(file);
    case 'wasm-bifrost-abi':
      return bifrostAbiFloor(file);
    case 'native-c':
    case 'native-rust':
      return nativeFloor(file);
    case 'native-go':
      return nativeFloor(file, { isKept: true });
    case 'node-api':
      return addonFloor(file);
    case 'grpc-typescript':
    case 'grpc-python':
      return grpcFloor(language, folder);
  }
}

/** Loads it as the gateway does in production: inputs are not frozen. */
export async function openCell(cell: MeasuredCell, folder: string): Promise<OpenCell> {
  const { language, isolation } = cell;
  const path = buildTrivialPlugin(language, folder);
  const capabilities = language.startsWith('n') ? { capabilities: { native: true } } : {};
  const entry = toPluginEntry(pluginSchema.parse({ name: 'trivial', path, isolation, enabled: true, ...capabilities }));
  const directory = dirname(path);
  const artefact = await resolveEntry(entry, directory);
  const found = cellsOf({ entry, directory, artefact, areInputsFrozen: false });
  const plugin = await found.find((one) => one.isolation === isolation)?.load();
  if (plugin === undefined) throw new Error(`${language} cannot be loaded in ${isolation}`);
  const floor = await openFloor(cell, path, folder);
  return {
    instance: plugin.instance,
    floor,
    hooks: measuredHooks.filter(({ name }) => plugin.instance.hooks[name] !== undefined),
    close: async () => {
      floor.close();
      await plugin.close();
    },
  };
}
