import type { Engine, TraceListener } from '@bifrost/core';
import { GatewayError } from '@bifrost/sdk';
import type { Logger } from '../logging/logger.ts';

/** What a serving thread needs of the engine's package. */
export interface EngineModule {
  createEngine(options: {
    readonly logger?: Logger;
    readonly onTrace?: TraceListener;
    readonly stateMakers?: SharedArrayBuffer;
  }): Engine;
}

/**
 * Loads the engine: `@bifrost/core`, or another module (a URL) that exports `createEngine`. Asked for at its own entry: who loads
 * the package's index at run time makes the bundle keep all of it together, in the main thread too, which is a third of the start.
 */
export async function loadEngineModule(specifier: string): Promise<EngineModule> {
  const loaded: unknown =
    specifier === '@bifrost/core' ? await import('@bifrost/core/engine') : ((await import(specifier)) as unknown);
  if (isEngineModule(loaded)) return loaded;
  throw new GatewayError(`the module ${specifier} exports no createEngine`, {
    code: 'BF_HTTP_ENGINE_MISSING',
    statusCode: 500,
  });
}

function isEngineModule(value: unknown): value is EngineModule {
  return (
    typeof value === 'object' && value !== null && 'createEngine' in value && typeof value.createEngine === 'function'
  );
}
