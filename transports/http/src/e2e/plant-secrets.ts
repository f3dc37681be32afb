/**
 * Plants a secret across every boundary of a recorded stream: wherever a piece of text ends and the next one of the same part begins, the
 * first gets the beginning of a secret and the second its end. What repeats the text as a whole (the last events of OpenAI's Responses
 * dialect) repeats the secrets too, as a provider would.
 */
import { isJsonObject } from '@bifrost/sdk';
import type { DialectName, Json, JsonObject } from '@bifrost/sdk';

/** A stream with secrets in it. */
export interface Planted {
  readonly stream: string;
  /** How many boundaries it has, and so secrets. */
  readonly secrets: number;
}

export interface Plant {
  readonly dialect: DialectName;
  readonly secret: string;
  /** Where the first boundary cuts the secret; each further one cuts a character later. */
  readonly firstCut: number;
}

/** An event as it is changed in place. */
type Draft = Record<string, Json | undefined>;

/** A text that grows from event to event. */
interface Piece {
  /** The part of the answer that it continues. */
  readonly part: string;
  readonly owner: Draft;
  readonly key: string;
}

const isObject = (value: Json | undefined): value is Draft & JsonObject => value !== undefined && isJsonObject(value);
const word = (value: Json | undefined): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null));
const objects = (value: Json | undefined): readonly Draft[] =>
  Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : [];

function pieces(owner: Json | undefined, part: string, keys: readonly string[]): readonly Piece[] {
  if (!isObject(owner)) return [];
  // Many providers put an empty text beside a thought: nothing is said by it.
  const said = keys.filter((key) => typeof owner[key] === 'string' && owner[key] !== '');
  return said.map((key) => ({ part: `${part} ${key}`, owner, key }));
}

function chatPieces(event: Draft): readonly Piece[] {
  const answer = word(event['id']);
  return objects(event['choices']).flatMap((choice, at) => {
    const { delta, index = at } = choice;
    const calls = isObject(delta) ? objects(delta['tool_calls']) : [];
    const place = `${answer} ${word(index)}`;
    return [
      ...pieces(delta, place, ['content', 'refusal', 'reasoning_content', 'reasoning']),
      ...calls.flatMap((call) => pieces(call['function'], `${place} call ${word(call['index'])}`, ['arguments'])),
    ];
  });
}

function completionsPieces(event: Draft): readonly Piece[] {
  return objects(event['choices']).flatMap((choice) => pieces(choice, `choice ${word(choice['index'])}`, ['text']));
}

/** What places a delta of the Responses dialect: the item, and the text within it. */
const responsesPlaces = ['item_id', 'output_index', 'content_index', 'summary_index', 'command_index'];

function responsesPieces(event: Draft): readonly Piece[] {
  const type = word(event['type']);
  if (!type.endsWith('.delta') || type.includes('audio')) return [];
  return pieces(event, [type, ...responsesPlaces.map((name) => word(event[name]))].join(' '), ['delta']);
}

function anthropicPieces(event: Draft): readonly Piece[] {
  if (event['type'] !== 'content_block_delta') return [];
  return pieces(event['delta'], `block ${word(event['index'])}`, ['text', 'thinking', 'partial_json']);
}

function geminiPieces(event: Draft): readonly Piece[] {
  return objects(event['candidates']).flatMap((candidate, index) => {
    const content = candidate['content'];
    const parts = isObject(content) ? objects(content['parts']) : [];
    return parts.flatMap((part) => pieces(part, `candidate ${index} ${word(part['thought'])}`, ['text']));
  });
}

const piecesOf: Partial<Record<DialectName, (event: Draft) => readonly Piece[]>> = {
  'openai-chat': chatPieces,
  'openai-completions': completionsPieces,
  'openai-responses': responsesPieces,
  'anthropic-messages': anthropicPieces,
  'gemini-generate-content': geminiPieces,
};

/** One event of the stream: what stands before its JSON, the JSON, what stands behind it. */
interface Line {
  readonly before: string;
  readonly json: Draft | undefined;
  readonly after: string;
}

function readLine(line: string): Line {
  const [, before = '', data = '', after = ''] = /^(data: ?)(\{.*\})(\r?)$/.exec(line) ?? [];
  return data === ''
    ? { before: line, json: undefined, after: '' }
    : { before, json: JSON.parse(data) as Draft, after };
}

/** Where a text that was replaced stands once more (as token, as detail, as the whole): replaced there too. */
function repeated(value: Json, replacements: ReadonlyMap<string, string>): Json {
  if (typeof value === 'string') return replacements.get(value) ?? value;
  if (Array.isArray(value)) return (value as readonly Json[]).map((one) => repeated(one, replacements));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, repeated(one ?? null, replacements)]));
}

const textOf = ({ owner, key }: Piece): string => word(owner[key]);
const joined = (group: readonly Piece[]): string => group.map(textOf).join('');

/** The event that ends an answer. */
const endTypes = new Set(['message_stop', 'response.completed', 'response.incomplete', 'response.failed']);

function readEvents(
  stream: string,
  dialect: DialectName,
): { readonly lines: readonly Line[]; readonly found: readonly (readonly Piece[])[] } {
  const lines = stream.split('\n').map(readLine);
  // Some recordings hold several answers one after another: a client reads the first.
  const end = lines.findIndex(
    ({ before, json }) => before === 'data: [DONE]' || (json !== undefined && endTypes.has(word(json['type']))),
  );
  if (end !== -1) lines.length = end + 1;
  return { lines, found: lines.map(({ json }) => (json === undefined ? [] : (piecesOf[dialect]?.(json) ?? []))) };
}

const groupsOf = (found: readonly (readonly Piece[])[]): readonly (readonly Piece[])[] => [
  ...Map.groupBy(found.flat(), ({ part }) => part).values(),
];

/** What a client reads that joins the pieces of each part of a stream, and the events that hold no piece, as JSON. */
export function textsOf(stream: string, dialect: DialectName): readonly string[] {
  const { lines, found } = readEvents(stream, dialect);
  const others = lines.filter((_, at) => found[at]?.length === 0).map(({ json }) => JSON.stringify(json ?? null));
  return [...groupsOf(found).map(joined), ...others];
}

/** `stream`, the text of a server-sent event stream, with a secret across each of its boundaries. */
export function plantSecrets(stream: string, { dialect, secret, firstCut }: Plant): Planted {
  const { lines, found } = readEvents(stream, dialect);
  const replacements = new Map<string, string>();
  const texts = new Map(found.flat().map((piece) => [piece, textOf(piece)]));
  let secrets = 0;
  for (const group of groupsOf(found)) {
    const was = joined(group);
    for (const [at, piece] of group.slice(1).entries()) {
      const before = group[at] as Piece;
      const cut = (firstCut + secrets) % (secret.length + 1);
      before.owner[before.key] = `${textOf(before)} ${secret.slice(0, cut)}`;
      piece.owner[piece.key] = `${secret.slice(cut)} ${textOf(piece)}`;
      secrets += 1;
    }
    replacements.set(was, joined(group));
  }
  const written = lines.map(({ before, json, after }, at) => {
    if (json === undefined) return before;
    const own = (found[at] ?? []).map((piece) => [texts.get(piece) ?? '', textOf(piece)] as const);
    return `${before}${JSON.stringify(repeated(json, own.length === 0 ? replacements : new Map(own)))}${after}`;
  });
  return { stream: `${written.join('\n')}\n\n`, secrets };
}
