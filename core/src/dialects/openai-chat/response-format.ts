import { isJsonObject } from '@bifrost/sdk';
import type { JsonObject, ResponseFormat } from '@bifrost/sdk';
import { addResidue, formOf, setField } from './encode-context.ts';
import type { EncodeContext } from './encode-context.ts';
import { ObjectReader, optional, residueOf } from './object-reader.ts';
import type { MutableJson } from './object-reader.ts';

/** `response_format`; undefined for a type without a canonical one (grammars), which stays in the remainder. Schemas are not touched. */
export function decodeResponseFormat(owner: ObjectReader): ResponseFormat | undefined {
  const raw = owner.object('response_format');
  if (raw === undefined) return undefined;
  const reader = new ObjectReader(raw, 'response_format', owner.mode);
  const type = reader.take('type');
  if (type === 'text') return { type: 'text', ...residueOf(reader) };
  if (type === 'json_object') {
    return { type: 'json', ...residueOf(reader) };
  }
  const inner = type === 'json_schema' ? raw['json_schema'] : undefined;
  if (!isJsonObject(inner) || !isJsonObject(inner['schema'])) {
    owner.keep('response_format', raw);
    return undefined;
  }
  reader.take('json_schema');
  const body = new ObjectReader(inner, 'response_format.json_schema', owner.mode);
  body.take('schema');
  const [name, description, strict] = [body.string('name'), body.string('description'), body.boolean('strict')];
  const rest = body.rest();
  if (rest !== undefined) reader.note('inner', { ...(rest.form?.['plain'] as JsonObject | undefined), ...rest.fields });
  if (name === undefined) reader.note('isNameAbsent', true);
  return {
    type: 'json-schema',
    ...optional('name', name),
    ...optional('description', description),
    schema: inner['schema'],
    ...optional('strict', strict),
    ...residueOf(reader),
  };
}

/** The reverse of `decodeResponseFormat`. */
export function encodeResponseFormat(format: ResponseFormat, context: EncodeContext): JsonObject {
  if (format.type === 'text') return addResidue({ type: 'text' }, format.residue, 'response_format', context);
  if (format.type === 'json') return addResidue({ type: 'json_object' }, format.residue, 'response_format', context);
  const form = formOf(format.residue, context.dialect);
  const inner: MutableJson = {};
  if (format.name === undefined && form['isNameAbsent'] !== true) {
    context.report.add({
      action: 'changed',
      field: 'response_format.json_schema.name',
      reason: 'the dialect requires a name',
    });
  }
  setField(inner, 'name', format.name ?? (form['isNameAbsent'] === true ? undefined : 'response'));
  setField(inner, 'description', format.description);
  inner['schema'] = format.schema;
  setField(inner, 'strict', format.strict);
  for (const [key, value] of Object.entries((form['inner'] as JsonObject | undefined) ?? {})) {
    if (value !== undefined && inner[key] === undefined) inner[key] = value;
  }
  return addResidue({ type: 'json_schema', json_schema: inner }, format.residue, 'response_format', context);
}
