/** Puts a system message before each conversation, so that every request is decoded and encoded again. */
import { definePlugin } from '@bifrost/sdk';
import type { Message } from '@bifrost/sdk';

const systemMessage: Message = { role: 'system', parts: [{ type: 'text', text: 'Answer in one sentence.' }] };

export default definePlugin({
  name: 'changes-messages',
  preLLMHook: {
    reads: 'messages',
    handler(_context, request) {
      const { conversation } = request;
      if (conversation === undefined) return undefined;
      return { conversation: { ...conversation, messages: [systemMessage, ...conversation.messages] } };
    },
  },
});
