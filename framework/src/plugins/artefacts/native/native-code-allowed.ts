import { PluginError } from '@bifrost/sdk';
import type { ArtefactRequest } from '../artefact-loader.ts';

/** Throws PluginError in a build that cannot load native code. */
export function assertNativeCodeAllowed(request: ArtefactRequest, isAllowed: boolean): void {
  if (isAllowed) return;
  throw new PluginError(
    request.name,
    `${request.file} is native code, and this gateway is the portable build, which loads no native code: build the gateway with ` +
      '`make build DYNAMIC=1`, or run the plugin as WebAssembly, as a module, or as a program with `isolation: "grpc"`',
    { code: 'BF_PLUGIN_NATIVE_DISABLED' },
  );
}
