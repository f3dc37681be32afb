#!/usr/bin/env node
/** Puts a stamp on every answer and refuses requests with a word that the configuration names. */
import { serve } from './serve.ts';

serve({
  name: 'grpc-typescript',
  version: '1.0.0',
  guard: true,
  hooks: {
    preLLMHook: {
      options: { reads: 'messages' },
      run({ config }, { conversation }) {
        const { refuse: word } = config;
        if (typeof word !== 'string' || !JSON.stringify(conversation ?? '').includes(word)) return undefined;
        const message = `Requests about "${word}" are refused.`;
        return { error: { statusCode: 400, message, origin: 'plugin', allowFallbacks: false } };
      },
    },
    httpTransportResponseHeadersHook: {
      run({ config: { stamp } }) {
        return { headers: { 'x-grpc-typescript': typeof stamp === 'string' ? stamp : 'was here' } };
      },
    },
    streamEventHook: {
      run({ state }, event) {
        if (event.type !== 'text-delta' || state.has('stamped')) return undefined;
        state.set('stamped', true);
        return [{ ...event, text: `[grpc] ${event.text}` }];
      },
    },
  },
});
