/**
 * The engine inside any Node program, without a server: `node examples/embedding/main.ts [model] [question]`. Without a key the
 * embedded provider answers; with OPENAI_API_KEY try `openai/gpt-4o-mini`.
 */
import { Gateway } from '@bifrost/core';

const [model = 'mock/hello', question = 'Hello'] = process.argv.slice(2);
const key = process.env['OPENAI_API_KEY'];

await using gateway = new Gateway({
  providers: key === undefined ? {} : { openai: { keys: [key], network: { maxRetries: 2 } } },
  onTrace: ({ statusCode, latencyMs }) => console.error(`answered ${statusCode} in ${Math.round(latencyMs)} ms`),
});

const messages = [{ role: 'user', content: question }];
for await (const chunk of gateway.streamChat({ model, messages })) {
  const [choice] = chunk['choices'] as unknown as readonly { readonly delta?: { readonly content?: string } }[];
  process.stdout.write(choice?.delta?.content ?? '');
}
process.stdout.write('\n');
