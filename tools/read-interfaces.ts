/** Reads interfaces and types with their docstrings out of TypeScript source that the house's formatter wrote. */

/** A member of an interface. */
export interface Member {
  readonly name: string;
  readonly isOptional: boolean;
  /** Its type, or a method's signature from the first parenthesis on; on one line. */
  readonly type: string;
  /** Its docstring on one line, without the tags; empty where there is none. */
  readonly doc: string;
  /** Text behind each tag of the docstring. */
  readonly tags: ReadonlyMap<string, string>;
}

function escapeName(name: string): string {
  return name.replaceAll(/[^\w]/g, '');
}

function toOneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** A docstring without its stars; its tags apart. */
function readDoc(comment: string): Pick<Member, 'doc' | 'tags'> {
  const text = toOneLine(comment.replaceAll(/^\s*(\/\*\*|\*\/|\*(?!\/))/gm, '').replace(/\*\/\s*$/, ''));
  const [doc = '', ...tagged] = text.split(/(?:^|\s)@(?=[a-z])/);
  const tags = new Map(tagged.map((tag) => [/^\w+/.exec(tag)?.[0] ?? '', tag.replace(/^\w+\s*/, '').trim()] as const));
  return { doc: doc.trim(), tags };
}

/** Where the declaration of a member ends: a semicolon outside of all brackets. */
function memberEnd(text: string): number {
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    if ('({['.includes(character)) depth += 1;
    else if (')}]'.includes(character)) depth -= 1;
    else if (character === ';' && depth === 0) return index;
  }
  return text.length;
}

function readMembers(body: string): readonly Member[] {
  const members: Member[] = [];
  let rest = body;
  for (;;) {
    const start = /^\s*(\/\*\*[\s\S]*?\*\/)?\s*(?:readonly )?(\w+)(\?)?(:|(?=[(<]))/.exec(rest);
    if (start === null) return members;
    const [head, comment = '', name = '', optional] = start;
    const declaration = rest.slice(head.length);
    const end = memberEnd(declaration);
    const type = toOneLine(declaration.slice(0, end).replaceAll('readonly ', '')).replace(/^\| /, '');
    members.push({ name, isOptional: optional !== undefined, type, ...readDoc(comment) });
    rest = declaration.slice(end + 1);
  }
}

/** Members of the interface `name`, those that it inherits first. Throws Error where the source has none of that name. */
export function readInterface(source: string, name: string): readonly Member[] {
  const pattern = new RegExp(
    `export interface ${escapeName(name)}(?:<[^{]*>)?(?: extends (\\w+))? \\{\\n([\\s\\S]*?)\\n\\}`,
  );
  const match = pattern.exec(source);
  if (match === null) throw new Error(`there is no interface ${name}`);
  const inherited = match[1] === undefined ? [] : readInterface(source, match[1]);
  return [...inherited, ...readMembers(match[2] ?? '')];
}

/** Docstring of an exported type or interface, without its list items. Throws Error where there is none. */
export function readTypeDoc(source: string, name: string): { readonly doc: string; readonly items: readonly string[] } {
  const end = new RegExp(`\\*/\\nexport (?:interface|type) ${escapeName(name)}\\b`).exec(source);
  if (end === null) throw new Error(`there is no docstring of ${name}`);
  const comment = source.slice(source.lastIndexOf('/**', end.index), end.index);
  const lines = comment
    .replace('/**', '')
    .split('\n')
    .map((line) => line.replace(/^\s*\*( |$)/, ''));
  const [doc = '', ...items] = lines.join('\n').split(/\n- /);
  return { doc: toOneLine(doc), items: items.map((item) => toOneLine(item).replace(/[;.]$/, '')) };
}
