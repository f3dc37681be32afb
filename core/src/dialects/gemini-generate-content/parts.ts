/** One part of a content, both ways. Encoding is exact: what another dialect's part loses is decided before, in `foreign-parts.ts`. */
import { parseExactly } from '../../json/exact-numbers.ts';
import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject, Part, ReasoningPart, ToolCallPart } from '@bifrost/sdk';
import { tagOpaque, unpackToolCallId, untagOpaque } from '../provenance.ts';
import { argumentsText } from './call-ids.ts';
import type { CallIds } from './call-ids.ts';
import { defined } from './fields.ts';
import type { FieldReader } from './fields.ts';
import { dialect, residueMember } from './form.ts';
import { decodeFileData, decodeInlineData, encodeMedia } from './media.ts';
import { decodeFunctionResponse, encodeFunctionResponse } from './tool-results.ts';

/** The members of a Part's `data` union that are read; whatever else a part holds makes it opaque. */
const dataMembers = [
  'text',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
  'executableCode',
  'codeExecutionResult',
  'toolCall',
  'toolResponse',
] as const;

type DataMember = (typeof dataMembers)[number];

const leaves = { leaves: ['args', 'response'] };

/** Which kind of part it is; undefined for none that has a name here, or for several at once. */
function memberOf(reader: FieldReader): DataMember | undefined {
  const found = dataMembers.filter((member) => reader.has(member));
  if (found.length > 1) return undefined;
  if (found[0] !== undefined) return found[0];
  // A signature may come in a part of its own: an empty text (https://ai.google.dev/gemini-api/docs/thought-signatures).
  return reader.has('thoughtSignature') ? 'text' : undefined;
}

/** Reads one part; what the typed fields do not hold stays in its residue. */
export function decodePart(reader: FieldReader, ids: CallIds): Part {
  const member = memberOf(reader);
  const isThought = reader.boolean('thought') === true;
  if (member === undefined || (isThought && member !== 'text')) {
    return { type: 'opaque', dialect, value: reader.object };
  }
  const part = decodeMember(reader, member, ids);
  if (part.type === 'server-tool') return part;
  return { ...part, ...residueMember(encodePart(part) ?? {}, reader.object, leaves) };
}

function decodeMember(reader: FieldReader, member: DataMember, ids: CallIds): Part {
  const signature = reader.string('thoughtSignature');
  const signed = signature === undefined ? {} : { signature };
  switch (member) {
    case 'text':
      return reader.boolean('thought') === true
        ? decodeReasoning(reader.string('text') ?? '', signature)
        : { type: 'text', text: reader.string('text') ?? '', ...signed };
    case 'inlineData':
      return { ...decodeInlineData(reader.child(member) as FieldReader), ...signed };
    case 'fileData':
      return { ...decodeFileData(reader.child(member) as FieldReader), ...signed };
    case 'functionCall':
      return decodeFunctionCall(reader.child(member) as FieldReader, signature, ids);
    case 'functionResponse': {
      const response = reader.child(member) as FieldReader;
      const wireId = response.string('id');
      const id = wireId === undefined ? undefined : unpackToolCallId(wireId).id;
      return decodeFunctionResponse(response, ids.ofResult(response.string('name') ?? '', id));
    }
    default:
      return { type: 'server-tool', dialect, name: member, value: reader.object };
  }
}

/** A thought. A signature that another dialect's provider made travels tagged and is given back to it. */
function decodeReasoning(text: string, signature: string | undefined): ReasoningPart {
  if (signature === undefined) return { type: 'reasoning', text };
  const foreign = untagOpaque(signature);
  if (foreign === undefined) return { type: 'reasoning', text, signature, origin: dialect };
  return { type: 'reasoning', text, [foreign.kind]: foreign.value, origin: foreign.dialect };
}

function decodeFunctionCall(call: FieldReader, thoughtSignature: string | undefined, ids: CallIds): ToolCallPart {
  const name = call.string('name') ?? '';
  const wireId = call.string('id');
  const packed = wireId === undefined ? undefined : unpackToolCallId(wireId);
  const signature = thoughtSignature ?? packed?.signature;
  return {
    type: 'tool-call',
    id: ids.ofCall(name, packed?.id),
    name,
    arguments: argumentsText(call.json('args')),
    ...(signature === undefined ? {} : { signature }),
  };
}

/** The opaque value of a thought as Gemini carries it: its own as it is, another dialect's tagged. */
function reasoningSignature(part: ReasoningPart): string | undefined {
  if (part.origin === dialect) return part.signature;
  if (part.origin === undefined) return undefined;
  if (part.encrypted !== undefined) {
    return tagOpaque({ dialect: part.origin, kind: 'encrypted', value: part.encrypted });
  }
  if (part.signature === undefined) return undefined;
  return tagOpaque({ dialect: part.origin, kind: 'signature', value: part.signature });
}

/** Call arguments as the object that Gemini wants; text that is none is put under a key of its own. */
export function encodeArguments(part: Pick<ToolCallPart, 'arguments' | 'isFreeform'>): JsonObject {
  if (part.isFreeform === true) return { input: part.arguments };
  if (part.arguments.trim() === '') return {};
  try {
    const value = parseExactly(part.arguments) as Json;
    return isJsonObject(value) ? value : { input: value };
  } catch {
    return { input: part.arguments }; // cut off or malformed by the model; reported by the caller
  }
}

/** One part without its residue; undefined where Gemini has no form for it. */
export function encodePart(part: Part): JsonObject | undefined {
  switch (part.type) {
    case 'text':
      return defined({ text: part.text, thoughtSignature: part.signature });
    case 'refusal':
      return { text: part.text };
    case 'reasoning':
      return defined({ text: part.text, thought: true, thoughtSignature: reasoningSignature(part) });
    case 'tool-call':
      return defined({
        functionCall: { id: part.id, name: part.name, args: encodeArguments(part) },
        thoughtSignature: part.signature,
      });
    case 'tool-result':
      return { functionResponse: encodeFunctionResponse(part) };
    case 'media': {
      const media = encodeMedia(part);
      return media === undefined ? undefined : defined({ ...media, thoughtSignature: part.signature });
    }
    case 'server-tool':
    case 'opaque':
      return part.dialect === dialect && isJsonObject(part.value) ? part.value : undefined;
  }
}
