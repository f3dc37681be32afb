import { parseExactly, stringifyExactly } from '../../json/exact-numbers.ts';
import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject, ServerToolPart, ToolCallPart } from '@bifrost/sdk';
import { packToolCallId, unpackToolCallId } from '../provenance.ts';
import { addCacheControl } from './content-encode.ts';
import { readCacheControl } from './content-decode.ts';
import { addResidue, formOf } from './encode-context.ts';
import type { EncodeContext } from './encode-context.ts';
import { ObjectReader, optional, residueOf, wrongType } from './object-reader.ts';
import type { MutableJson } from './object-reader.ts';

/** One entry of `tool_calls`; a call of a tool that the provider ran is kept whole. */
export function decodeToolCall(raw: Json, path: string, owner: ObjectReader): ToolCallPart | ServerToolPart {
  const { mode } = owner;
  if (!isJsonObject(raw)) {
    if (mode.isStrict) throw wrongType(path, raw, 'an object with id, type and function');
    return { type: 'server-tool', dialect: mode.dialect, name: 'unknown', value: raw };
  }
  const reader = new ObjectReader(raw, path, mode);
  const type = raw['type'];
  const key = isJsonObject(raw['function']) ? 'function' : 'custom';
  const inner = raw[key];
  if (!isJsonObject(inner) || typeof inner['name'] !== 'string') {
    if (mode.isStrict && (type === 'function' || type === undefined))
      throw wrongType(`${path}.function.name`, undefined, "the function's name");
    return {
      type: 'server-tool',
      dialect: mode.dialect,
      name: typeof type === 'string' ? type : 'unknown',
      value: raw,
    };
  }
  if (type === key) reader.take('type');
  else reader.noteAbsent('type');
  reader.take(key);
  const call = new ObjectReader(inner, reader.pathOf(key), mode);
  const name = call.string('name') ?? '';
  const argumentsKey = key === 'function' ? 'arguments' : 'input';
  const given = call.take(argumentsKey);
  if (given === undefined) reader.note('isArgumentsAbsent', true);
  const isText = typeof given === 'string';
  if (!isText && given !== undefined) reader.note('arguments', 'value');
  const rest = call.rest();
  if (rest !== undefined) reader.note('inner', { ...(rest.form?.['plain'] as JsonObject | undefined), ...rest.fields });
  reader.plain('index');
  const packed = reader.string('id');
  const { id, signature } = unpackToolCallId(packed ?? '');
  if (packed === undefined) reader.noteAbsent('id');
  return {
    type: 'tool-call',
    id,
    name,
    arguments: isText ? given : given === undefined || given === null ? '' : stringifyExactly(given),
    ...(key === 'custom' ? { isFreeform: true } : {}),
    ...optional('signature', signature),
    ...readCacheControl(reader),
    ...residueOf(reader),
  };
}

/** The arguments as the wire had them: text, except from servers that send the object itself. */
function encodeArguments(part: ToolCallPart, form: JsonObject): Json {
  if (form['arguments'] !== 'value') return part.arguments;
  if (part.arguments === '') return null;
  try {
    return parseExactly(part.arguments) as Json;
  } catch {
    return part.arguments; // changed into something that is not JSON: text is the by-the-book form
  }
}

/** The id that goes on the wire: with the signature packed in for a client, which is to bring it back. */
export function encodeToolCallId(
  part: { readonly id: string; readonly signature?: string | undefined },
  path: string,
  context: EncodeContext,
): string {
  if (context.direction === 'response') return packToolCallId(part.id, part.signature);
  if (part.signature !== undefined) {
    context.report.add({
      action: 'dropped',
      field: `${path}.signature`,
      reason: 'only the provider that made it can read it',
    });
  }
  return part.id;
}

/** One entry of `tool_calls`. */
export function encodeToolCall(part: ToolCallPart, path: string, context: EncodeContext): JsonObject {
  const form = formOf(part.residue, context.dialect);
  const key = part.isFreeform === true ? 'custom' : 'function';
  const inner: MutableJson = { name: part.name };
  if (form['isArgumentsAbsent'] !== true || part.arguments !== '') {
    inner[key === 'custom' ? 'input' : 'arguments'] = encodeArguments(part, form);
  }
  for (const [field, value] of Object.entries((form['inner'] as JsonObject | undefined) ?? {})) {
    if (value !== undefined && inner[field] === undefined) inner[field] = value;
  }
  const target: MutableJson = { id: encodeToolCallId(part, path, context), type: key, [key]: inner };
  if (part.id === '' && part.residue?.dialect === context.dialect) delete target['id'];
  addCacheControl(target, part.cacheControl, path, context);
  return addResidue(target, part.residue, path, context);
}

/** The legacy `function_call` of a message: `{name, arguments}`, without an id. */
export function decodeFunctionCall(raw: JsonObject, id: string, owner: ObjectReader): ToolCallPart | undefined {
  if (typeof raw['name'] !== 'string' || raw['name'] === '') return undefined;
  const reader = new ObjectReader(raw, owner.pathOf('function_call'), owner.mode);
  const name = reader.string('name') ?? '';
  const text = reader.string('arguments');
  if (text === undefined) reader.note('isArgumentsAbsent', true);
  reader.note('field', 'function_call');
  return { type: 'tool-call', id, name, arguments: text ?? '', ...residueOf(reader) };
}

/** The reverse of `decodeFunctionCall`. */
export function encodeFunctionCall(part: ToolCallPart, path: string, context: EncodeContext): JsonObject {
  const isAbsent = formOf(part.residue, context.dialect)['isArgumentsAbsent'] === true && part.arguments === '';
  return addResidue(
    { name: part.name, ...(isAbsent ? {} : { arguments: part.arguments }) },
    part.residue,
    path,
    context,
  );
}
