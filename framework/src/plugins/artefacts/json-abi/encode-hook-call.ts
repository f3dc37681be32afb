/**
 * How artefacts without JavaScript values are given a hook's input and give its result: JSON, with bodies, and the data of a stream's
 * chunks, beside it. In the JSON these are `{"$bytes": n}`, the n-th attachment.
 */
import type { HookContext, HookName, RequestFacts } from '@bifrost/sdk';

/** One call in the form in which it crosses the boundary. */
export interface EncodedCall {
  /** `{"facts": ..., "input": ...}`. */
  readonly text: string;
  /** Texts are meant as UTF-8. */
  readonly attachments: readonly (string | Uint8Array)[];
}

const none: readonly Uint8Array[] = [];

/** Writes calls of one plugin instance. Remembers the facts of the last call: the hooks of a request follow each other. */
export class CallEncoder {
  #facts: RequestFacts | undefined;
  #factsText = '';

  encode(hook: HookName, context: Pick<HookContext<unknown>, 'facts'>, input: object): EncodedCall {
    const { facts } = context;
    if (facts !== this.#facts) {
      this.#factsText = JSON.stringify(facts);
      // What may still be changed in place is written anew each time.
      this.#facts = Object.isFrozen(facts) ? facts : undefined;
    }
    const beside = besideOf(hook, input);
    const member = hook === 'httpTransportStreamChunkHook' ? 'data' : 'body';
    const plain = beside === undefined ? input : { ...input, [member]: { $bytes: 0 } };
    return {
      text: `{"facts":${this.#factsText},"input":${JSON.stringify(plain)}}`,
      attachments: beside === undefined ? none : [beside],
    };
  }
}

/** What goes beside the JSON: a chunk's data, which is mostly JSON itself and would have to be escaped, or a body of bytes. */
function besideOf(hook: HookName, input: object): string | Uint8Array | undefined {
  if (hook === 'httpTransportStreamChunkHook') {
    return 'data' in input && typeof input.data === 'string' ? input.data : undefined;
  }
  return 'body' in input && input.body instanceof Uint8Array ? input.body : undefined;
}
