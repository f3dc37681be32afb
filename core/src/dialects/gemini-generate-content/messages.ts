import type { JsonObject, Message, Part } from '@bifrost/sdk';
import { applyResidue } from './form.ts';
import { encodePart } from './parts.ts';

/** The parts in their wire form, each with its own residue; what has no form is left out (its loss is reported before). */
export function encodeParts(parts: readonly Part[]): readonly JsonObject[] {
  return parts.flatMap((part) => {
    const made = encodePart(part);
    if (made === undefined) return [];
    return [part.type === 'server-tool' || part.type === 'opaque' ? made : applyResidue(made, part.residue)];
  });
}

/** One message as a content: `model` or `user`, and no role for the system instruction. */
export function encodeMessage(message: Message): JsonObject {
  const parts = encodeParts(message.parts);
  if (message.role === 'system' || message.role === 'developer') return { parts };
  return { role: message.role === 'assistant' ? 'model' : 'user', parts };
}
