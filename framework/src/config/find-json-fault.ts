const token =
  /[ \t\n\r]*(?:([{}[\],:])|("(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-]))/y;

type Expecting = 'value' | 'value or ]' | 'name' | 'name or }' | 'colon' | 'comma or end';

/** Where an unfinished or wrong token begins to be wrong: inside a string at the character that may not stand there. */
function faultOffset(text: string, from: number): number {
  let offset = from;
  while (offset < text.length && ' \t\n\r'.includes(text[offset] ?? '')) offset++;
  if (text[offset] !== '"') return offset;
  const good = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y;
  good.lastIndex = offset;
  return offset + (good.exec(text)?.[0].length ?? 0);
}

/**
 * The offset of the first character that keeps a text from being JSON; the text's length where its end comes too early. For
 * texts that `JSON.parse` refused: V8's own messages name a place only sometimes, and quote the text.
 */
export function findJsonFault(text: string): number {
  const open: string[] = [];
  let expecting: Expecting = 'value';
  let offset = 0;
  for (;;) {
    if (expecting === 'comma or end' && open.length === 0) {
      const rest = /\S/.exec(text.slice(offset));
      return rest === null ? text.length : offset + rest.index;
    }
    token.lastIndex = offset;
    const match = token.exec(text);
    if (match === null) return faultOffset(text, offset);
    const start = token.lastIndex - (match[1] ?? match[2] ?? match[3] ?? '').length;
    const next = advance(open, expecting, match[1] ?? (match[2] === undefined ? 'scalar' : 'string'));
    if (next === undefined) return start;
    expecting = next;
    offset = token.lastIndex;
  }
}

/** One step of the grammar; undefined where the token may not stand here. `open` is the stack of `{` and `[`. */
function advance(open: string[], expecting: Expecting, kind: string): Expecting | undefined {
  const close = (bracket: string): Expecting | undefined => (open.pop() === bracket ? 'comma or end' : undefined);
  switch (expecting) {
    case 'name':
    case 'name or }':
      if (kind === 'string') return 'colon';
      return kind === '}' && expecting === 'name or }' ? close('{') : undefined;
    case 'colon':
      return kind === ':' ? 'value' : undefined;
    case 'comma or end':
      if (kind === ',') return open.at(-1) === '{' ? 'name' : 'value';
      if (kind === '}') return close('{');
      return kind === ']' ? close('[') : undefined;
    case 'value':
    case 'value or ]':
      if (kind === ']') return expecting === 'value or ]' ? close('[') : undefined;
      if (kind === 'scalar' || kind === 'string') return 'comma or end';
      if (kind !== '{' && kind !== '[') return undefined;
      open.push(kind);
      return kind === '{' ? 'name or }' : 'value or ]';
  }
}

/** The offset of the innermost bracket that is open at `offset` in a text that is JSON up to there. */
export function openBracket(text: string, offset: number): number | undefined {
  const open: number[] = [];
  for (const match of text.slice(0, offset).matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (match[0] === '{' || match[0] === '[') open.push(match.index);
    else if (match[0] === '}' || match[0] === ']') open.pop();
  }
  return open.at(-1);
}
