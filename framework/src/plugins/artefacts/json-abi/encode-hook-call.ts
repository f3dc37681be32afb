/**
 * How artefacts without JavaScript values (native libraries, wasm) are given a hook's input and give its result: JSON, with bodies
 * beside it. In the JSON a body is `{"$bytes": n}`, the n-th attachment; only members named `body` hold one.
 */
import type { HookContext, RequestFacts } from '@bifrost/sdk';

/** One call in the form in which it crosses the boundary. */
export interface EncodedCall {
  /** `{"facts": ..., "input": ...}`. */
  readonly text: string;
  readonly attachments: readonly Uint8Array[];
}

const none: readonly Uint8Array[] = [];

/** Writes calls of one plugin instance. Remembers the facts of the last call: the hooks of a request follow each other. */
export class CallEncoder {
  #facts: RequestFacts | undefined;
  #factsText = '';

  encode(context: Pick<HookContext<unknown>, 'facts'>, input: object): EncodedCall {
    const { facts } = context;
    if (facts !== this.#facts) {
      this.#factsText = JSON.stringify(facts);
      // What may still be changed in place is written anew each time.
      this.#facts = Object.isFrozen(facts) ? facts : undefined;
    }
    const body: unknown = 'body' in input ? input.body : undefined;
    const isBinary = body instanceof Uint8Array;
    const plain = isBinary ? { ...input, body: { $bytes: 0 } } : input;
    return {
      text: `{"facts":${this.#factsText},"input":${JSON.stringify(plain)}}`,
      attachments: isBinary ? [body] : none,
    };
  }
}
