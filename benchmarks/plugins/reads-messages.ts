/** Counts the characters of a conversation before each attempt; changes nothing. */
import { definePlugin } from '@bifrost/sdk';

export default definePlugin({
  name: 'reads-messages',
  preLLMHook: {
    reads: 'messages',
    handler(context, request) {
      let characters = 0;
      for (const message of request.conversation?.messages ?? []) {
        for (const part of message.parts) if (part.type === 'text') characters += part.text.length;
      }
      context.state.set('characters', characters);
    },
  },
});
