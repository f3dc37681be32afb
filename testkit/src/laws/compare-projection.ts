import type { Json } from '@bifrost/sdk';
import { jsonDifferences } from './json-difference.ts';
import type { Difference } from './loss-cover.ts';
import type { ConversationProjection, TextUnit, ValueUnit } from './projection.ts';

const separators = ['', '\n', '\n\n', ' '];
const show = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);

/** The same texts, or the same joined by what dialects put between texts that they merge. */
function isSameText(before: readonly string[], after: readonly string[]): boolean {
  const ways = new Set(separators.map((separator) => before.join(separator)));
  return separators.some((separator) => ways.has(after.join(separator)));
}

function compareTexts(before: readonly TextUnit[], after: readonly TextUnit[]): readonly Difference[] {
  const found: Difference[] = [];
  for (let at = 0; at < Math.max(before.length, after.length); at++) {
    const [left, right] = [before[at], after[at]];
    if (left !== undefined && left.role === right?.role && isSameText(left.pieces, right.pieces)) continue;
    const shown = [left, right].map((unit) =>
      unit === undefined ? 'absent' : `${unit.role} ${show(unit.pieces.join('|'))}`,
    );
    found.push({
      what: `text ${at}: ${shown.join(' -> ')}`,
      words: /^text$|^content$|^role$|^document$|^system|^instructions$/i,
      places: [...(left?.places ?? []), ...before.flatMap((unit) => unit.places)],
    });
    break; // what follows is shifted
  }
  return found;
}

interface UnitKind {
  readonly name: string;
  /** Words for the loss of a whole unit. */
  readonly words: RegExp;
  /** Words for the loss of one field; the unit's words do not count for it. */
  readonly fieldWords: Readonly<Record<string, RegExp>>;
}

function compareFields(kind: UnitKind, before: ValueUnit, after: ValueUnit, at: number): readonly Difference[] {
  return Object.entries(before.fields).flatMap(([name, value]): readonly Difference[] => {
    if (value === undefined) return [];
    const options = { limit: 1, isMoreAllowed: name !== 'arguments' };
    const [difference] = jsonDifferences(value, after.fields[name] as Json | undefined, options);
    if (difference === undefined) return [];
    return [
      {
        what: `${kind.name} ${at}, ${name}: ${difference}`,
        words: kind.fieldWords[name] ?? kind.words,
        places: [before.place],
      },
    ];
  });
}

/** A report may say what kind of tool it was. */
const orNamed = (words: RegExp, name: string): RegExp =>
  new RegExp(`${words.source}|^${name.replaceAll(/\W/g, '.')}$`, 'i');

/** Units in order. Where some are missing, each of `before` without an equal in `after` counts. */
function compareUnits(
  kind: UnitKind,
  before: readonly ValueUnit[],
  after: readonly ValueUnit[],
): readonly Difference[] {
  if (before.length === after.length) {
    return before.flatMap((unit, at) => compareFields(kind, unit, after[at] as ValueUnit, at));
  }
  const rest = [...after];
  const missing = before.filter((unit, at) => {
    const found = rest.findIndex((other) => compareFields(kind, unit, other, at).length === 0);
    if (found === -1) return true;
    rest.splice(found, 1);
    return false;
  });
  const lost = missing.map((unit): Difference => ({
    what: `${kind.name} lost or changed: ${show(JSON.stringify(unit.fields))}`,
    words: typeof unit.fields['name'] === 'string' ? orNamed(kind.words, unit.fields['name']) : kind.words,
    places: [unit.place],
  }));
  if (after.length <= before.length) return lost;
  return [
    ...lost,
    {
      what: `${after.length - before.length} more ${kind.name} than before`,
      words: kind.words,
      places: before.map((unit) => unit.place),
    },
  ];
}

const opaqueWords = /signature|encrypted|redacted|thinking|thought|reasoning/i;

const unitKinds: Readonly<Record<Exclude<keyof ConversationProjection, 'texts'>, UnitKind>> = {
  toolCalls: {
    name: 'tool call',
    words: /tool_?call|tool_?use|function_?call/i,
    fieldWords: {
      id: /\bid$|call_id|tool_?call_?id|tool_use_id/i,
      name: /name/i,
      arguments: /arguments|input|args/i,
      signature: /signature/i,
      isFreeform: /custom|freeform|input|arguments|args/i,
    },
  },
  toolResults: {
    name: 'tool result',
    words: /tool_?result|function_?response|function_call_output|tool/i,
    fieldWords: {
      id: /id$/i,
      text: /content|output|response|text/i,
      media: /content|output|media|image|file/i,
      isError: /is_?error|error/i,
    },
  },
  reasoning: {
    name: 'reasoning',
    words: /reasoning|thinking|thought|signature|encrypted|redacted|summary/i,
    fieldWords: {
      text: /reasoning|thinking|thought|summary/i,
      signature: opaqueWords,
      encrypted: opaqueWords,
      origin: opaqueWords,
    },
  },
  citations: {
    name: 'citation',
    words: /citation|annotation|grounding|cited_text|file_id|document_index/i,
    fieldWords: {},
  },
  media: {
    name: 'media',
    words: /image|file|audio|video|media|document|inline_?data|source/i,
    fieldWords: { mediaType: /media_?type|mime|format/i, filename: /file_?name|title/i, detail: /detail/i },
  },
  refusals: { name: 'refusal', words: /refusal/i, fieldWords: {} },
  logprobs: { name: 'log probabilities', words: /logprobs/i, fieldWords: {} },
  foreign: {
    name: 'server tool or unknown part',
    words: /server|opaque|_call$|_output$|_tool_|compaction|search|execut|mcp|only \S+ (knows|has a form)|no form/i,
    fieldWords: {},
  },
  textSignatures: { name: 'signature of a text', words: /signature/i, fieldWords: {} },
  cacheMarks: { name: 'cache mark', words: /cache_?control|cache/i, fieldWords: {} },
};

/** All differences between what a conversation said before and after a translation. */
export function compareProjections(
  before: ConversationProjection,
  after: ConversationProjection,
): readonly Difference[] {
  const kinds = Object.keys(unitKinds) as (keyof typeof unitKinds)[];
  return [
    ...compareTexts(before.texts, after.texts),
    ...kinds.flatMap((kind) => compareUnits(unitKinds[kind], before[kind], after[kind])),
  ];
}
