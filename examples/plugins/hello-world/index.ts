/**
 * Greets every answer: a header on it, a line in the log for each request, and a count of stream chunks where the
 * configuration asks for it. It reads only the head of a request, so the body keeps its bytes on the way through.
 */
import { definePlugin, headerValue } from '@bifrost/sdk';
import type { ConfigSchema } from '@bifrost/sdk';

interface HelloConfig {
  readonly greeting: string;
  readonly countChunks: boolean;
}

/** Any Standard Schema does (zod, valibot, arktype); written by hand here, so that the example needs no package. */
const configSchema: ConfigSchema<HelloConfig> = {
  '~standard': {
    version: 1,
    vendor: 'hello-world',
    validate(value) {
      const { greeting = 'Hello, World!', countChunks = false } = Object(value) as Record<string, unknown>;
      if (typeof greeting !== 'string') {
        return { issues: [{ path: ['greeting'], message: `expected a string, got ${typeof greeting}` }] };
      }
      if (typeof countChunks !== 'boolean') {
        return { issues: [{ path: ['countChunks'], message: `expected true or false, got ${typeof countChunks}` }] };
      }
      return { value: { greeting, countChunks } };
    },
  },
};

export default definePlugin({
  name: 'hello-world',
  version: '1.0.0',
  configSchema,

  init(context) {
    context.log.info(`says "${context.config.greeting}"`);
  },

  httpTransportPreHook(context, request) {
    const caller = headerValue(request.headers, 'user-agent');
    if (caller !== undefined) context.state.set('caller', caller);
  },

  preRequestHook(context, request) {
    context.log.info(`${context.config.greeting} A request for ${request.model} came in.`, {
      model: request.model,
      stream: request.isStream,
      caller: context.state.get('caller') ?? 'unknown',
    });
  },

  httpTransportResponseHeadersHook(context) {
    return { headers: { 'x-hello-world': context.config.greeting } };
  },

  httpTransportStreamChunkHook: {
    // Without this hook a stream's chunks need not be looked at one by one.
    when: (config) => config.countChunks,
    handler(context) {
      const count = context.state.get('chunks');
      context.state.set('chunks', typeof count === 'number' ? count + 1 : 1);
    },
  },

  inject: {
    when: (config) => config.countChunks,
    handler(context, trace) {
      context.log.info('The answer is out.', {
        status: trace.statusCode,
        chunks: context.state.get('chunks') ?? 0,
        latencyMs: Math.round(trace.latencyMs),
      });
    },
  },

  cleanup(context) {
    context.log.info('Good-bye!');
  },
});
