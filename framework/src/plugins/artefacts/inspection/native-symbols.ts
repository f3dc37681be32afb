/** The functions of `bifrost_plugin.h`: what a native plugin exports. A test holds the list and the header together. */
import type { SymbolContract } from './check-symbols.ts';

export const nativeSymbols: SymbolContract = {
  required: [
    'bifrost_plugin_abi',
    'bifrost_plugin_describe',
    'bifrost_plugin_create',
    'bifrost_plugin_call',
    'bifrost_plugin_free_output',
    'bifrost_plugin_destroy',
  ],
  optional: [],
  prefix: 'bifrost_plugin_',
  reason: 'bifrost_plugin.h asks for it; it needs C linkage and default visibility',
};
