import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject, ReasoningPart } from '@bifrost/sdk';
import { tagOpaque, untagOpaque } from '../provenance.ts';
import { addResidue, formOf, setField } from './encode-context.ts';
import type { EncodeContext } from './encode-context.ts';
import { ObjectReader, optional, residueOf } from './object-reader.ts';
import type { MutableJson } from './object-reader.ts';

const textFields = ['reasoning', 'reasoning_content'] as const;
const textKeys: Readonly<Record<string, string>> = {
  'reasoning.text': 'text',
  'reasoning.summary': 'summary',
  'reasoning.encrypted': 'data',
};

/** The maker of an opaque value and the value itself: unpacked where another dialect's value was carried for it. */
function readOpaque(value: string | undefined): {
  readonly value?: string;
  readonly origin: NonNullable<ReasoningPart['origin']>;
} {
  const tagged = value === undefined ? undefined : untagOpaque(value);
  if (tagged !== undefined) return { value: tagged.value, origin: tagged.dialect };
  return { ...optional('value', value), origin: 'openai-chat' };
}

function decodeDetail(raw: Json, path: string, owner: ObjectReader): ReasoningPart | undefined {
  if (!isJsonObject(raw)) return undefined;
  const reader = new ObjectReader(raw, path, owner.mode);
  const type = reader.take('type');
  const textKey = typeof type === 'string' ? textKeys[type] : undefined;
  if (textKey === undefined) return undefined;
  const text = reader.string(textKey);
  reader.note('field', 'reasoning_details');
  reader.plain('index');
  if (text === undefined) reader.note('isTextAbsent', true);
  const id = reader.string('id');
  if (type === 'reasoning.encrypted') {
    const { value, origin } = readOpaque(text);
    return {
      type: 'reasoning',
      text: '',
      ...optional('encrypted', value),
      origin,
      ...optional('id', id),
      ...residueOf(reader),
    };
  }
  const rawSignature = reader.peek('signature');
  const { value, origin } = readOpaque(rawSignature === '' ? undefined : reader.string('signature'));
  return {
    type: 'reasoning',
    text: text ?? '',
    ...(type === 'reasoning.summary' ? { isSummary: true } : {}),
    ...optional('signature', value),
    origin,
    ...optional('id', id),
    ...residueOf(reader),
  };
}

/** What `encodeReasoning` wrote of one foreign item as two details (a summary and its encrypted form) becomes one part again. */
function joinForeign(parts: readonly ReasoningPart[]): readonly ReasoningPart[] {
  const joined: ReasoningPart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    const isPair =
      last !== undefined &&
      part.encrypted !== undefined &&
      part.origin !== 'openai-chat' &&
      part.id !== undefined &&
      last.id === part.id &&
      last.encrypted === undefined;
    if (isPair) {
      joined[joined.length - 1] = {
        ...last,
        ...optional('encrypted', part.encrypted),
        ...optional('origin', part.origin),
      };
    } else joined.push(part);
  }
  return joined;
}

/**
 * The thinking of an assistant message: `reasoning_details` (OpenRouter), else `reasoning` or `reasoning_content`. Where several
 * say the same, the others are noted as copies; what differs stays in the remainder.
 */
export function decodeReasoning(reader: ObjectReader): readonly ReasoningPart[] {
  const details = reader.peek('reasoning_details');
  let parts: readonly ReasoningPart[] = [];
  if (Array.isArray(details) && details.length > 0) {
    const decoded = (details as readonly Json[]).map((detail, index) =>
      decodeDetail(detail, `${reader.pathOf('reasoning_details')}[${index}]`, reader),
    );
    if (decoded.every((part) => part !== undefined)) {
      reader.take('reasoning_details');
      parts = joinForeign(decoded);
    }
  }
  const texts = textFields.filter((field) => typeof reader.peek(field) === 'string' && reader.peek(field) !== '');
  const first = texts[0];
  if (parts.length === 0 && first !== undefined) {
    parts = [{ type: 'reasoning', text: reader.peek(first) as string, origin: 'openai-chat' }];
  }
  const whole = parts.map((part) => part.text).join('');
  const copies = texts.filter((field) => reader.peek(field) === whole);
  for (const field of copies) reader.take(field);
  if (copies.length > 0 || parts.some((part) => part.residue !== undefined)) reader.note('reasoning', copies);
  return parts;
}

function encodeOpaque(
  part: ReasoningPart,
  kind: 'signature' | 'encrypted',
  path: string,
  context: EncodeContext,
): string | undefined {
  const value = part[kind];
  if (value === undefined) return undefined;
  if (part.origin === context.dialect) return value;
  if (context.direction === 'response' && part.origin !== undefined)
    return tagOpaque({ dialect: part.origin, kind, value });
  context.report.add({
    action: 'dropped',
    field: `${path}.${kind}`,
    reason: 'only the provider that made it can read it',
  });
  return undefined;
}

function encodeDetail(part: ReasoningPart, index: number, path: string, context: EncodeContext): readonly JsonObject[] {
  const form = formOf(part.residue, context.dialect);
  const signature = encodeOpaque(part, 'signature', path, context);
  const encrypted = encodeOpaque(part, 'encrypted', path, context);
  const details: JsonObject[] = [];
  const isOwnDetail = form['field'] === 'reasoning_details';
  if (part.text !== '' || signature !== undefined || (isOwnDetail && part.encrypted === undefined)) {
    const detail: MutableJson = { type: part.isSummary === true ? 'reasoning.summary' : 'reasoning.text' };
    if (part.text !== '' || form['isTextAbsent'] !== true)
      detail[part.isSummary === true ? 'summary' : 'text'] = part.text;
    setField(detail, 'signature', signature);
    setField(detail, 'id', part.id);
    if (!isOwnDetail) detail['index'] = index;
    details.push(addResidue(detail, part.residue, path, context));
  }
  if (encrypted !== undefined) {
    const detail: MutableJson = { type: 'reasoning.encrypted', data: encrypted };
    setField(detail, 'id', part.id);
    if (!isOwnDetail) detail['index'] = index;
    details.push(details.length === 0 ? addResidue(detail, part.residue, path, context) : detail);
  }
  return details;
}

/**
 * Writes thinking into an assistant message. Its text goes into the field that it came from, else into the provider's declared
 * one; a client gets `reasoning`, and `reasoning_details` as well where there is a signature to bring back.
 */
export function encodeReasoning(
  target: MutableJson,
  parts: readonly ReasoningPart[],
  message: { readonly path: string; readonly form: JsonObject },
  context: EncodeContext,
): void {
  if (parts.length === 0) return;
  const { path, form } = message;
  if (
    parts.some(
      (part) =>
        part.text === '' &&
        part.signature === undefined &&
        part.encrypted === undefined &&
        part.residue?.dialect !== context.dialect,
    )
  ) {
    context.report.add({ action: 'dropped', field: `${path}.reasoning`, reason: 'it says nothing but its id' });
  }
  const isReplayable = context.direction === 'response' || context.isOwn || context.quirks.reasoningField !== undefined;
  const isOwnForm = Array.isArray(form['reasoning']);
  const text = parts.map((part) => part.text).join('');
  const needsDetails = parts.some(
    (part) =>
      formOf(part.residue, context.dialect)['field'] === 'reasoning_details' ||
      (!isOwnForm && (part.signature ?? part.encrypted) !== undefined),
  );
  const details = needsDetails
    ? parts.flatMap((part, index) => encodeDetail(part, index, `${path}.reasoning_details[${index}]`, context))
    : [];
  if (!isReplayable) {
    if (text !== '')
      context.report.add({
        action: 'dropped',
        field: `${path}.reasoning`,
        reason: 'the provider takes no earlier thinking',
      });
    return;
  }
  const { reasoningField } = context.quirks;
  const fields =
    reasoningField !== undefined
      ? [reasoningField]
      : isOwnForm
        ? (form['reasoning'] as readonly string[])
        : ['reasoning'];
  if (text !== '') for (const field of fields) target[field] = text;
  const isSendable = context.direction === 'response' || parts.some((part) => part.origin === context.dialect);
  if (details.length > 0 && isSendable) target['reasoning_details'] = details;
}
