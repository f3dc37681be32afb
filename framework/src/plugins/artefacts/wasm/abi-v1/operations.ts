/** The numbers by which the host names what it wants of `bifrost_call`. They are part of the ABI: never changed, only added to. */
import type { HookName } from '@bifrost/sdk';

export const operations = {
  describe: 0,
  init: 1,
  cleanup: 2,
  marshalConfigForStorage: 3,
  redactConfig: 4,
} as const;

export const hookOperations = {
  httpTransportPreAuthHook: 16,
  httpTransportPreHook: 17,
  preRequestHook: 18,
  preLLMHook: 19,
  postLLMHook: 20,
  streamEventHook: 21,
  httpTransportResponseHeadersHook: 22,
  httpTransportStreamChunkHook: 23,
  httpTransportPostHook: 24,
  preMCPHook: 25,
  postMCPHook: 26,
  preMCPConnectionHook: 27,
  postMCPConnectionHook: 28,
  inject: 29,
} as const satisfies Record<HookName, number>;

export type Operation = keyof typeof operations | HookName;

export function operationNumber(operation: Operation): number {
  return operation in operations
    ? operations[operation as keyof typeof operations]
    : hookOperations[operation as HookName];
}
