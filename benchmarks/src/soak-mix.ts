/** What the soak sends: which request comes next, and whether its client gives up on it. The same for the same seed. */
import { chatRequest } from './payloads.ts';
import { requestBytes } from './wire.ts';

export type SoakKind = 'plain' | 'spliced' | 'stream' | 'translated' | 'translated stream' | 'image';

export interface SoakRequest {
  readonly kind: SoakKind;
  readonly bytes: Buffer;
  /** Where its client goes away; undefined: it waits for the whole answer. */
  readonly abort: SoakAbort | undefined;
}

/** `sent`: after so many bytes of the request. `waited`: so many milliseconds after it. `chunks`: after so many of the answer. */
export type SoakAbort =
  | { readonly after: 'sent'; readonly bytes: number }
  | { readonly after: 'waited'; readonly ms: number }
  | { readonly after: 'chunks'; readonly chunks: number };

const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-soak' };
const streamChunks = 20;
const imageMegabytes = 10;

function messagesRequest(isStream: boolean): string {
  const messages = [{ role: 'user', content: 'What is the tallest mountain in the solar system?' }];
  const model = isStream ? `openai/bench-stream-${streamChunks}` : 'openai/bench-model';
  return JSON.stringify({ model, max_tokens: 256, system: 'You are a careful assistant.', messages, stream: isStream });
}

function imageRequest(): string {
  const url = `data:image/png;base64,${'iVBORw0KGgo'.repeat((imageMegabytes * 1024 * 1024) / 11)}`;
  const content = [
    { type: 'text', text: 'What is in this picture?' },
    { type: 'image_url', image_url: { url } },
  ];
  return JSON.stringify({ model: 'bench-model', messages: [{ role: 'user', content }] });
}

const own = '/openai/v1/chat/completions';
const bytesOf: Readonly<Record<SoakKind, Buffer>> = {
  plain: requestBytes(own, headers, chatRequest('bench-model')),
  spliced: requestBytes('/v1/chat/completions', headers, chatRequest('openai/bench-model')),
  stream: requestBytes(own, headers, chatRequest(`bench-stream-${streamChunks}`, { stream: true })),
  translated: requestBytes('/anthropic/v1/messages', headers, messagesRequest(false)),
  'translated stream': requestBytes('/anthropic/v1/messages', headers, messagesRequest(true)),
  image: requestBytes(own, headers, imageRequest()),
};

/** Of a thousand requests; one of two thousand has an image, the rest are plain. */
const shares: readonly (readonly [SoakKind, number])[] = [
  ['stream', 80],
  ['translated stream', 20],
  ['translated', 50],
  ['spliced', 350],
  ['plain', 499.5],
  ['image', 0.5],
];

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function kindAt(random: number): SoakKind {
  let rest = random * 1000;
  for (const [kind, share] of shares) if ((rest -= share) < 0) return kind;
  return 'plain';
}

function abortOf(kind: SoakKind, random: () => number): SoakAbort {
  // One in five gives up before it has said all.
  if (random() < 0.2) return { after: 'sent', bytes: Math.floor(random() * bytesOf[kind].length) };
  if (kind.endsWith('stream')) return { after: 'chunks', chunks: Math.floor(random() * streamChunks) };
  return { after: 'waited', ms: random() * (kind === 'image' ? 40 : 2) };
}

/** The next request; a share of `aborts` is given up. */
export function nextRequest(random: () => number, aborts: number): SoakRequest {
  const kind = kindAt(random());
  const abort = random() < aborts ? abortOf(kind, random) : undefined;
  return { kind, bytes: bytesOf[kind], abort };
}
