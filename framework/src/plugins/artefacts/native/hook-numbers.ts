import type { HookName } from '@bifrost/sdk';

/** The hooks' numbers in `bifrost_plugin.h`. New hooks get the next number, whatever their place in a request. */
export const hookNumbers: { readonly [Name in HookName]: number } = {
  httpTransportPreAuthHook: 0,
  httpTransportPreHook: 1,
  preRequestHook: 2,
  preLLMHook: 3,
  postLLMHook: 4,
  streamEventHook: 5,
  httpTransportResponseHeadersHook: 6,
  httpTransportStreamChunkHook: 7,
  httpTransportPostHook: 8,
  preMCPHook: 9,
  postMCPHook: 10,
  preMCPConnectionHook: 11,
  postMCPConnectionHook: 12,
  inject: 13,
};

/** `call->hook` where no hook is called. */
export const noHook = 0xffff_ffff;

/** Numbers of what is no hook, but called as one. */
export const configViewNumbers = { marshalConfigForStorage: 100, redactConfig: 101 } as const;
