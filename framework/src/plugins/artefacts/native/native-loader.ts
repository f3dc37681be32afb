/** Loads shared libraries with the C interface of `sdk/native/bifrost_plugin.h`. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type * as FFI from 'node:ffi';
import { GatewayError, PluginError } from '@bifrost/sdk';
import type { HookName, PluginContext } from '@bifrost/sdk';
import { isNativeCodeAllowed } from '../../../realms/build-stamp.ts';
import type { ArtefactLoader, ArtefactRequest, LoadedArtefact } from '../artefact-loader.ts';
import { decodeHookResult } from '../json-abi/decode-hook-result.ts';
import { CallEncoder } from '../json-abi/encode-hook-call.ts';
import { pluginOf, readDescription } from '../json-abi/plugin-description.ts';
import { withSymbolsBound } from './bind-now.ts';
import { goKey, isGoLibrary, loadedGoKeys, noteGoLibrary } from './go-library.ts';
import { configViewNumbers, hookNumbers, noHook } from './hook-numbers.ts';
import { assertNativeCodeAllowed } from './native-code-allowed.ts';
import { NativeLibrary, nativeAbi } from './native-library.ts';
import { libraryExtension, withPrivateCopy } from './private-copy.ts';

type Ffi = typeof FFI;

export interface NativeLoaderOptions {
  /** @default false in the portable build, true elsewhere */
  readonly isNativeCodeAllowed?: boolean;
}

function loadFailed(plugin: string, message: string, cause?: unknown): PluginError {
  return new PluginError(plugin, message, {
    code: 'BF_PLUGIN_NATIVE_LOAD_FAILED',
    ...(cause === undefined ? {} : { cause }),
  });
}

function findFfi(plugin: string): Ffi {
  const ffi: Ffi | undefined = process.getBuiltinModule('node:ffi');
  if (ffi === undefined) {
    throw loadFailed(
      plugin,
      'this Node has no node:ffi: start it without --no-experimental-ffi, on a platform that libffi supports',
    );
  }
  if (process.permission !== undefined && !process.permission.has('ffi')) {
    throw loadFailed(plugin, 'native code was not granted to it: set `capabilities: { "native": true }` in its entry');
  }
  return ffi;
}

/** Refuses other code for a plugin whose Go library the process has loaded: it would stay, with its threads, beside the new one. */
function assertGoLoadable(plugin: string, key: string): void {
  if (loadedGoKeys(plugin).every((loaded) => loaded === key)) return;
  throw new PluginError(
    plugin,
    'the library is made by Go, whose runtime is never unloaded, and another version of it is loaded in this process: ' +
      'set `isolation: "process"` for this plugin, where each reload is a new process, or restart the gateway',
    { code: 'BF_PLUGIN_NATIVE_GO_RELOAD' },
  );
}

/** What the system's loader says, about the file that the operator knows. */
function explainOpenError(request: ArtefactRequest, copy: string, thrown: unknown): PluginError {
  if (GatewayError.isInstance(thrown) && thrown instanceof PluginError) return thrown;
  const said = (thrown instanceof Error ? thrown.message : String(thrown)).replace(/^dl(?:open|sym) failed: /, '');
  const message = said.replaceAll(copy, request.file);
  const symbol = /undefined symbol: (bifrost_plugin_\w+)/.exec(said)?.[1];
  if (symbol !== undefined) {
    return loadFailed(
      request.name,
      `${request.file} does not export \`${symbol}\`, which bifrost_plugin.h asks for`,
      thrown,
    );
  }
  if (/failed to map segment/.test(said)) {
    const advice = `libraries are copied to ${tmpdir()}, which seems to be mounted noexec: set TMPDIR to a folder without it`;
    return loadFailed(request.name, `${message} (${advice})`, thrown);
  }
  return loadFailed(request.name, `the system's loader refuses it: ${message}`, thrown);
}

function assertAbi(plugin: string, abi: { readonly major: number; readonly minor: number }): void {
  if (abi.major === nativeAbi.major && abi.minor <= nativeAbi.minor) return;
  throw new PluginError(
    plugin,
    `it was compiled with version ${abi.major}.${abi.minor} of bifrost_plugin.h; this gateway has ${nativeAbi.major}.${nativeAbi.minor}. ` +
      `${abi.major > nativeAbi.major || abi.major === nativeAbi.major ? 'Use a newer gateway, or compile it with the older header' : 'Compile it with the newer header'}`,
    { code: 'BF_PLUGIN_API_VERSION' },
  );
}

function openLibrary(request: ArtefactRequest, ffi: Ffi): NativeLibrary {
  const { name, file, generation } = request;
  const bytes = readFileSync(file);
  const digest = createHash('sha256').update(bytes).digest('hex');
  const isGo = isGoLibrary(bytes);
  const key = isGo ? goKey(digest) : `${digest.slice(0, 16)}-${generation}`;
  if (isGo) assertGoLoadable(name, key);
  const open = (path: string): NativeLibrary => {
    try {
      return withSymbolsBound(ffi, path, () => new NativeLibrary(name, ffi, path));
    } catch (thrown) {
      throw explainOpenError(request, path, thrown);
    }
  };
  // A process of its own that may write nothing has the library once, and needs no copy.
  const mayWrite = process.permission === undefined || process.permission.has('fs.write', tmpdir());
  const library = mayWrite
    ? withPrivateCopy({ plugin: name, bytes, key, extension: libraryExtension(file) }, open)
    : open(file);
  if (isGo) noteGoLibrary(name, key);
  return library;
}

/** The plugin as a module would export it. */
function pluginOfLibrary(request: ArtefactRequest, library: NativeLibrary): object {
  const { name } = request;
  assertAbi(name, library.abi());
  const text = library.describe();
  if (text === undefined) {
    throw new PluginError(name, 'bifrost_plugin_describe returned NULL instead of its description', {
      code: 'BF_PLUGIN_SHAPE_INVALID',
    });
  }
  const encoder = new CallEncoder();
  return pluginOf(readDescription(name, text, request.manifest), {
    create: (context: PluginContext<unknown>) => {
      const input = JSON.stringify({ name: context.name, config: context.config });
      library.create(context, { hook: noHook, text: input, attachments: [] });
    },
    call: (hook: HookName, context, input) => {
      const encoded = encoder.encode(hook, context, input);
      const attachments = encoded.attachments.map((part) => (typeof part === 'string' ? Buffer.from(part) : part));
      const output = library.call(hook, context, { hook: hookNumbers[hook], text: encoded.text, attachments });
      return decodeHookResult(output.text, output.attachments);
    },
    destroy: (context) => library.destroy(context),
    view: (view, config) => {
      const input = { hook: configViewNumbers[view], text: JSON.stringify(config), attachments: [] };
      return decodeHookResult(library.view(view, input).text, []) ?? config;
    },
  });
}

/** Makes the loader of native libraries for this thread. */
export function createNativeLoader(options: NativeLoaderOptions = {}): ArtefactLoader {
  const isAllowed = options.isNativeCodeAllowed ?? isNativeCodeAllowed();
  return {
    kind: 'native',
    async load(request: ArtefactRequest): Promise<LoadedArtefact> {
      assertNativeCodeAllowed(request, isAllowed);
      const library = openLibrary(request, findFfi(request.name));
      try {
        return {
          module: { default: pluginOfLibrary(request, library) },
          unload: () => library.close(),
        };
      } catch (thrown) {
        library.close();
        throw thrown;
      }
    },
  };
}

/** Loads native libraries where the build allows it. */
export const nativeLoader: ArtefactLoader = createNativeLoader();
