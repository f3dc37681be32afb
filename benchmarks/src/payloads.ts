/** What the load sends and the upstream answers: one chat request of about 0.4 KB, one answer of about 0.9 KB, chunks of 0.2 KB. */

const system =
  'You are a careful assistant. Answer briefly, name your sources, and say so when you do not know the answer.';

/** A chat request for `model`, padded to about `bytes` with text in the user's message. */
export function chatRequest(
  model: string,
  options: { readonly stream?: boolean; readonly bytes?: number } = {},
): string {
  const request = (text: string): string =>
    JSON.stringify({
      model,
      messages: [
        { role: 'system', content: system },
        { role: 'user', content: text },
      ],
      temperature: 0.2,
      max_tokens: 256,
      ...(options.stream === true ? { stream: true, stream_options: { include_usage: true } } : {}),
    });
  const question = 'What is the tallest mountain in the solar system, how tall is it, and who measured it first?';
  const missing = (options.bytes ?? 0) - request(question).length;
  return missing > 0 ? request(`${question} ${'x'.repeat(missing - 1)}`) : request(question);
}

const answer = `Olympus Mons on Mars is the tallest known mountain in the solar system. It rises about 21.9 km above the datum of Mars, roughly two and a half times the height of Mount Everest above sea level. Its height was established by laser altimetry from orbit in the late 1990s; earlier estimates came from images and occultation data.`;

/** The whole answer's body. */
export const chatResponse: string = JSON.stringify({
  id: 'chatcmpl-8f3a2b1c9d7e4f60a1b2c3d4e5f60718',
  object: 'chat.completion',
  created: 1_760_000_000,
  model: 'bench-model-2026-01-01',
  choices: [
    { index: 0, message: { role: 'assistant', content: answer, refusal: null }, logprobs: null, finish_reason: 'stop' },
  ],
  usage: {
    prompt_tokens: 58,
    completion_tokens: 74,
    total_tokens: 132,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  },
  service_tier: 'default',
  system_fingerprint: 'fp_4b1f0c2a9d',
});

const chunk = (delta: object, finish: string | null, usage?: object): string =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-8f3a2b1c9d7e4f60',
    object: 'chat.completion.chunk',
    created: 1_760_000_000,
    model: 'bench-model-2026-01-01',
    choices: usage === undefined ? [{ index: 0, delta, finish_reason: finish }] : [],
    ...(usage === undefined ? {} : { usage }),
  })}\n\n`;

/** The SSE events of a stream with `count` content chunks, then finish, usage and `[DONE]` as one write. */
export function streamChunks(count: number): readonly string[] {
  const contents = Array.from({ length: count }, (_, n) =>
    chunk(n === 0 ? { role: 'assistant', content: 'Olympus' } : { content: ` word${n}` }, null),
  );
  const usage = { prompt_tokens: 58, completion_tokens: count, total_tokens: 58 + count };
  return [...contents, `${chunk({}, 'stop')}${chunk({}, null, usage)}data: [DONE]\n\n`];
}
