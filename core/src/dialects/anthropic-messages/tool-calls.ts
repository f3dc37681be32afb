/** `tool_use` and its arguments. */
import { parseExactly, stringifyExactly } from '../../json/exact-numbers.ts';
import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject, ToolCallPart } from '@bifrost/sdk';
import type { Loss } from '../codec.ts';
import { encodeCacheControl, takeCacheControl } from './cache-control.ts';
import { present, takeString } from './fields.ts';
import type { Fields } from './fields.ts';
import { toResidue, withResidue } from './residue.ts';
import { unpackClientToolCallId } from './tool-call-id.ts';

/** A `tool_use` block; undefined when a member is missing or of the wrong type. */
export function decodeToolUse(block: JsonObject): ToolCallPart | undefined {
  const rest: Fields = { ...block };
  const id = takeString(rest, 'id');
  const name = takeString(rest, 'name');
  const { input } = rest;
  if (id === undefined || name === undefined || input === undefined) return undefined;
  delete rest['input'];
  delete rest['type'];
  return present({
    type: 'tool-call',
    ...unpackClientToolCallId(id),
    name,
    arguments: stringifyExactly(input),
    cacheControl: takeCacheControl(rest),
    residue: toResidue(rest),
  } as const);
}

/** The member under which text that is no JSON object is passed: Anthropic's `input` must be an object. */
export const freeformMember = 'input';

/** The `input` of a call: parsed arguments, `{}` for none, `{input: text}` for free text and for broken JSON. */
export function toToolInput(part: ToolCallPart): { readonly input: JsonObject; readonly isWrapped: boolean } {
  if (part.isFreeform !== true) {
    if (part.arguments.trim() === '') return { input: {}, isWrapped: false };
    const input = parseArguments(part.arguments);
    if (input !== undefined) return { input, isWrapped: false };
  }
  return { input: { [freeformMember]: part.arguments }, isWrapped: true };
}

/** Undefined for text that is no JSON object: it is then passed as it is. */
function parseArguments(text: string): JsonObject | undefined {
  try {
    const value = parseExactly(text) as Json;
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined; // cut off or malformed by the model; reported by the caller
  }
}

/** What to report for a call whose arguments had to be wrapped. */
export function wrappedInputLoss(path: string): Loss {
  return {
    action: 'changed',
    field: `${path}.arguments`,
    reason: `Anthropic's tool input is a JSON object: the text is sent as its member "${freeformMember}"`,
  };
}

/** The `tool_use` block with the given wire id. */
export function encodeToolUse(part: ToolCallPart, id: string): JsonObject {
  const encoded = present({
    type: 'tool_use',
    id,
    name: part.name,
    input: toToolInput(part).input,
    cache_control: part.cacheControl === undefined ? undefined : encodeCacheControl(part.cacheControl),
  });
  return withResidue(encoded, part.residue);
}
