import { isJsonObject } from '@bifrost/sdk';
import type { DialectName, Json, Usage } from '@bifrost/sdk';
import type { DialectCodec } from '../dialects/codec.ts';
import { peekLastMember } from '../json/last-member.ts';
import { peekTopLevel } from '../json/peek.ts';

/** A larger answer is not kept for its usage. */
const maxBytes = 256 * 1024;
const keys = ['usage', 'usageMetadata'];

/** How a dialect's stream says what its whole answer has under `usage`, where only the stream's reader can read it. */
const asStreamEvent: Partial<Readonly<Record<DialectName, (usage: string) => string>>> = {
  'anthropic-messages': (usage) => `{"type":"message_delta","usage":${usage}}`,
  'gemini-generate-content': (usage) => `{"usageMetadata":${usage}}`,
};

/** Finds the usage of a whole answer that passes through undecoded, after the client has it. */
export class WholeUsage {
  readonly #codec: DialectCodec;
  /** The answer, mostly in one piece. */
  #first: Buffer | undefined = undefined;
  #more: Buffer[] | undefined = undefined;
  #bytes = 0;

  constructor(codec: DialectCodec) {
    this.#codec = codec;
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > maxBytes) {
      this.#first = undefined;
      this.#more = undefined;
    } else if (this.#first === undefined) this.#first = chunk;
    else (this.#more ??= []).push(chunk);
  }

  /** The usage, or undefined where the answer has none, is no JSON, or is too large. */
  read(): Usage | undefined {
    if (this.#first === undefined) return undefined;
    const body = this.#more === undefined ? this.#first : Buffer.concat([this.#first, ...this.#more]);
    try {
      const range = usageRange(body, this.#codec.name);
      if (range === undefined) return undefined;
      const usage = body.toString('utf8', range.start, range.end);
      if (this.#codec.decodeUsage !== undefined) {
        const parsed = JSON.parse(usage) as Json;
        return isJsonObject(parsed) ? this.#codec.decodeUsage(parsed) : undefined;
      }
      const event = this.#codec.name === 'anthropic-messages' ? { event: 'message_delta' } : {};
      return this.#codec.readStreamUsage({ ...event, data: asStreamEvent[this.#codec.name]?.(usage) ?? '' });
    } catch {
      // The answer passed as it came; that its usage cannot be read makes it unknown, not an error.
      return undefined;
    }
  }
}

/** Where the usage stands: nearly always at the end, else wherever a scan of the whole finds it. */
function usageRange(body: Buffer, dialect: DialectName): { readonly start: number; readonly end: number } | undefined {
  const last = peekLastMember(body, dialect === 'gemini-generate-content' ? 'usageMetadata' : 'usage');
  if (last !== undefined) return last;
  const { members } = peekTopLevel(body, keys);
  const member = (members[0] ?? members[1])?.at(-1);
  return member === undefined ? undefined : { start: member.valueStart, end: member.valueEnd };
}
