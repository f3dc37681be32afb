import { stringifyExactly } from '../../json/exact-numbers.ts';
import type { JsonObject } from '@bifrost/sdk';

const maxNameCharacters = 24;

/**
 * Gives function calls without an id one of their own, always the same for the same conversation, and finds for a
 * functionResponse without an id the call it answers: the oldest open call of that name. Ids keep to `[a-zA-Z0-9_-]` and 40
 * characters, the strictest limits among the dialects they may travel to.
 */
export class CallIds {
  readonly #scope: string | undefined;
  #count = 0;
  readonly #open: { readonly id: string; readonly name: string }[] = [];

  /** `scope` sets the calls of one answer apart from those of other answers in the same conversation (its `responseId`). */
  constructor(scope?: string) {
    this.#scope = scope?.replaceAll(/[^a-zA-Z0-9_-]/g, '').slice(0, 28) || undefined;
  }

  /** The id of the next call. */
  ofCall(name: string, wireId: string | undefined): string {
    const number = this.#count++;
    const id = wireId ?? `call_${number}_${this.#scope ?? plainName(name)}`;
    this.#open.push({ id, name });
    return id;
  }

  /** The id of the call that the next result answers. */
  ofResult(name: string, wireId: string | undefined): string {
    const at = this.#open.findIndex((call) => (wireId === undefined ? call.name === name : call.id === wireId));
    const call = at === -1 ? undefined : this.#open.splice(at, 1)[0];
    return wireId ?? call?.id ?? `call_unknown_${plainName(name)}`;
  }
}

function plainName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, maxNameCharacters);
}

/** The arguments of a call as the JSON text that the canonical model holds. */
export function argumentsText(args: JsonObject | undefined): string {
  return stringifyExactly(args ?? {});
}
