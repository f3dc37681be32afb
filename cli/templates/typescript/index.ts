/** Greets every answer with a header, refuses models that the configuration forbids, and counts the pieces of each stream. */
import { definePlugin } from '@bifrost/sdk';

/** What `config` of the entry may hold: `configSchema` in bifrost-plugin.json checks it before this code runs. */
interface Config {
  readonly greeting?: string;
  readonly forbiddenModels?: readonly string[];
}

export default definePlugin<Config>({
  name: '__NAME__',

  // Once for each thread that serves; to throw here refuses the plugin, with your message in the log and the API.
  init(context) {
    context.log.info(`greets with "${context.config.greeting ?? 'Hello'}"`);
  },

  // Every attempt, fallbacks too. `reads` is the default, `head`: route, model, provider. Ask for `messages` to see the conversation.
  preLLMHook(context, request) {
    if (context.config.forbiddenModels?.includes(request.model) !== true) return undefined;
    return {
      error: {
        statusCode: 403,
        code: 'model_forbidden',
        message: `The model "${request.model}" is forbidden here.`,
        origin: 'plugin',
        allowFallbacks: false,
      },
    };
  },

  // Every event of a stream. `state` lives as long as the request, and is this plugin's own.
  streamEventHook(context, event) {
    if (event.type !== 'text-delta') return;
    const count = context.state.get('pieces');
    context.state.set('pieces', typeof count === 'number' ? count + 1 : 1);
  },

  // Before the answer's head goes out, streams too.
  httpTransportResponseHeadersHook(context) {
    return { headers: { 'x-__NAME__': context.config.greeting ?? 'Hello' } };
  },

  // After the answer: nobody waits for this.
  inject(context, trace) {
    context.log.info('the answer is out', {
      status: trace.statusCode,
      latencyMs: Math.round(trace.latencyMs),
      pieces: context.state.get('pieces') ?? 0,
    });
  },

  cleanup(context) {
    context.log.info('good-bye');
  },
});
