#!/usr/bin/env node
/** trivial.js as a gRPC server, over the server of examples/plugins/grpc-typescript. */
import { serve } from './serve.ts';

serve({
  name: 'trivial',
  version: '1.0.0',
  hooks: {
    preLLMHook: { options: { reads: 'messages' }, run: () => undefined },
    httpTransportResponseHeadersHook: { run: () => ({ headers: { 'x-trivial': 'yes' } }) },
  },
});
