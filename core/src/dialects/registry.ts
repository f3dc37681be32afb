import { GatewayError } from '@bifrost/sdk';
import type { DialectName } from '@bifrost/sdk';
import { anthropicMessagesCodec } from './anthropic-messages/codec.ts';
import type { DialectCodec } from './codec.ts';
import { geminiGenerateContentCodec } from './gemini-generate-content/codec.ts';
import { openaiChatCodec } from './openai-chat/codec.ts';
import { openaiCompletionsCodec } from './openai-completions/codec.ts';
import { openaiResponsesCodec } from './openai-responses/codec.ts';

const codecs: Readonly<Record<DialectName, DialectCodec>> = {
  'openai-chat': openaiChatCodec,
  'openai-responses': openaiResponsesCodec,
  'openai-completions': openaiCompletionsCodec,
  'gemini-generate-content': geminiGenerateContentCodec,
  'anthropic-messages': anthropicMessagesCodec,
};

/** The codec of a dialect. Throws `BF_DIALECT_UNKNOWN` for a name without one. */
export function codecOf(dialect: DialectName): DialectCodec {
  const codec: DialectCodec | undefined = codecs[dialect];
  if (codec === undefined) {
    throw new GatewayError(`no codec speaks the dialect ${dialect}`, { code: 'BF_DIALECT_UNKNOWN', statusCode: 500 });
  }
  return codec;
}
