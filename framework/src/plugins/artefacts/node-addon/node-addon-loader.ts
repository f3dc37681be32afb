/**
 * Loads Node-API add-ons (`.node`): their exports are read as those of a module. Node has no way to take an add-on out of a realm, so
 * the code of a replaced one stays mapped until the thread or process that loaded it ends, as modules stay in memory until then.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { GatewayError, PluginError } from '@bifrost/sdk';
import { isNativeCodeAllowed } from '../../../realms/build-stamp.ts';
import type { ArtefactLoader, ArtefactRequest, LoadedArtefact } from '../artefact-loader.ts';
import { assertNativeCodeAllowed } from '../native/native-code-allowed.ts';
import { withPrivateCopy } from '../native/private-copy.ts';

export interface NodeAddonLoaderOptions {
  /** @default false in the portable build, true elsewhere */
  readonly isNativeCodeAllowed?: boolean;
}

function explain(request: ArtefactRequest, path: string, thrown: unknown): PluginError {
  const { name, file } = request;
  const said = (thrown instanceof Error ? thrown.message : String(thrown)).replaceAll(path, file);
  const code = 'BF_PLUGIN_NATIVE_LOAD_FAILED';
  if (GatewayError.isInstance(thrown) && thrown instanceof PluginError) return thrown;
  if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_DLOPEN_DISABLED') {
    const remedy = 'set `capabilities: { "native": true }` in its entry';
    return new PluginError(name, `native code was not granted to it: ${remedy}`, { code, cause: thrown });
  }
  if (said.includes('did not self-register')) {
    const remedy = 'it is no Node-API add-on: export it with NAPI_MODULE_INIT';
    return new PluginError(name, `${file} does not register itself; ${remedy}`, { code, cause: thrown });
  }
  return new PluginError(name, `the system's loader refuses it, or its initialisation threw: ${said}`, {
    code,
    cause: thrown,
  });
}

function loadExports(request: ArtefactRequest): unknown {
  const { name, file, generation } = request;
  const open = (path: string): unknown => {
    const module: { exports: unknown } = { exports: {} };
    try {
      // All symbols bound: one that is missing is an error now, not the end of the process at its first call.
      process.dlopen(module, path, constants.dlopen.RTLD_NOW);
    } catch (thrown) {
      throw explain(request, path, thrown);
    }
    return module.exports;
  };
  if (process.permission !== undefined && !process.permission.has('fs.write', tmpdir())) return open(file);
  const bytes = readFileSync(file);
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  return withPrivateCopy({ plugin: name, bytes, key: `${digest}-${generation}`, extension: '.node' }, open);
}

/** What an ES module with these exports would be. */
function namespaceOf(request: ArtefactRequest, exports: unknown): object {
  if (typeof exports !== 'object' || exports === null) {
    throw new PluginError(
      request.name,
      `the add-on exports ${exports === null ? 'null' : `a ${typeof exports}`}, expected an object with the plugin's hooks`,
      {
        code: 'BF_PLUGIN_SHAPE_INVALID',
      },
    );
  }
  return 'default' in exports ? exports : { default: exports };
}

/** Makes the loader of Node-API add-ons for this thread. */
export function createNodeAddonLoader(options: NodeAddonLoaderOptions = {}): ArtefactLoader {
  const isAllowed = options.isNativeCodeAllowed ?? isNativeCodeAllowed();
  return {
    kind: 'node-addon',
    async load(request: ArtefactRequest): Promise<LoadedArtefact> {
      assertNativeCodeAllowed(request, isAllowed);
      return { module: namespaceOf(request, loadExports(request)) };
    },
  };
}

/** Loads Node-API add-ons where the build allows native code. */
export const nodeAddonLoader: ArtefactLoader = createNodeAddonLoader();
