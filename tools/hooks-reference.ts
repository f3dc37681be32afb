import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hookNames } from '../sdk/src/index.ts';
import { defaultTimeoutMs } from '../core/src/plugins/hook-entry.ts';
import { formatTable } from './markdown-table.ts';
import { readInterface, readTypeDoc } from './read-interfaces.ts';
import type { Member } from './read-interfaces.ts';

const readSource = (name: string): string => readFileSync(join(import.meta.dirname, '../sdk/src', name), 'utf8');
const hooks = readSource('hooks.ts');
/** Files that declare inputs and results, as the page links them. */
const valueFiles = [
  'hook-values.ts',
  'http.ts',
  'mcp.ts',
  'stream.ts',
  'conversation.ts',
  'errors.ts',
  'explanation.ts',
];
const values = new Map(valueFiles.map((name) => [name, readSource(name)]));

const code = (text: string): string => `\`${text}\``;

/** Cells of tables end without a full stop. */
const cell = (text: string): string => text.replace(/\.$/, '');

const kindTexts: Readonly<Record<string, string>> = {
  sequential: 'sequential: each plugin is given what the one before made of the value',
  'sequential, first': 'sequential; the first that answers by itself ends the forward pass',
  observe: 'observe: it changes nothing, and nobody waits for it',
};

interface HookSignature {
  readonly input: string;
  /** Names of the types that it may return; empty: none is used. */
  readonly results: readonly string[];
}

/** `(context: …, NAME: INPUT): MaybePromise<RESULT | undefined | void>` */
function readSignature({ name, type }: Member): HookSignature {
  const match = /context: HookContext<Config>, \w+: (\w+),? ?\): MaybePromise<(.*)>$/.exec(type);
  if (match === null) throw new Error(`the signature of ${name} is of another form: ${type}`);
  const results = (match[2] ?? '').split(' | ').filter((result) => !['undefined', 'void'].includes(result));
  return { input: match[1] ?? '', results };
}

function declaringFile(typeName: string): string {
  const bare = typeName.replace(/^readonly /, '').replace(/\[\]$/, '');
  const found = [...values].find(([, source]) => new RegExp(`export (?:interface|type) ${bare}\\b`).test(source));
  if (found === undefined) throw new Error(`no file of the sdk declares ${bare}`);
  return found[0];
}

function linkTo(typeName: string): string {
  return `[${code(typeName.replace(/^readonly /, ''))}](../../sdk/src/${declaringFile(typeName)})`;
}

function formatMembers(typeName: string): string {
  const source = values.get(declaringFile(typeName)) ?? '';
  if (!source.includes(`export interface ${typeName} `)) return '';
  const rows = readInterface(source, typeName).map(({ name, isOptional, type, doc }) => [
    code(isOptional ? `${name}?` : name),
    code(type),
    cell(doc),
  ]);
  return `\n\n${formatTable(['member', 'type', 'meaning'], rows)}`;
}

/** What `HookReads` says of a hook: the default first. */
function readsText({ type, doc }: Member): string {
  const [first = '', ...others] = type.replaceAll("'", '').split(' | ');
  if (doc !== '') return `${code(first)} (${cell(doc).replace(/^A/, 'a')})`;
  return others.length === 0 ? code(first) : `${code(first)} by default, or ${others.map(code).join(', ')}`;
}

function resultText({ results: [result] }: HookSignature): string {
  if (result === undefined) return 'Returns nothing.';
  return `Returns nothing for "unchanged", or ${linkTo(result)}:${formatMembers(result) || ` ${resultDoc(result)}`}`;
}

function resultDoc(typeName: string): string {
  const bare = typeName.replace(/^readonly /, '').replace(/\[\]$/, '');
  if (bare !== typeName) return 'what is sent in the place of the event; an empty list drops it.';
  return readTypeDoc(values.get(declaringFile(typeName)) ?? '', bare).doc.replace(/^A change by `\w+`: /, '');
}

function formatHook(member: Member, reads: Member): string {
  const { name, doc, tags } = member;
  const [kind = '', ...when] = [tags.get('kind') ?? '', doc].join(' ').trim().split('; ');
  const kindText = kindTexts[kind];
  if (kindText === undefined) throw new Error(`${name} is of an unknown kind "${kind}"`);
  const signature = readSignature(member);
  return `## \`${name}\`

${when.join('; ').replace(/^./, (first) => first.toUpperCase())}

- Kind: ${kindText}.
- Reads: ${readsText(reads)}.

Is given ${linkTo(signature.input)}:${formatMembers(signature.input) || ' one of its events.'}

${resultText(signature)}`;
}

function formatOptions(): string {
  const rows = readInterface(hooks, 'HookObject').map(({ name, isOptional, type, doc, tags }) => [
    code(isOptional ? `${name}?` : name),
    code(type),
    cell(tags.has('default') ? `${doc} Default: ${tags.get('default')}`.trim() : doc),
  ]);
  return formatTable(['option', 'type', 'meaning'], rows);
}

function formatTypeDoc(typeName: string): string {
  const { doc, items } = readTypeDoc(hooks, typeName);
  return [doc, ...items.map((item) => `- ${item}`)].join('\n').replace('\n-', '\n\n-');
}

function formatTypeMembers(typeName: string): string {
  const rows = readInterface(hooks, typeName).map(({ name, isOptional, type, doc, tags }) => [
    code(isOptional ? `${name}?` : name),
    code(type),
    cell(tags.has('default') ? `${doc} Default: ${tags.get('default')}` : doc),
  ]);
  return formatTable(['member', 'type', 'meaning'], rows);
}

/** `docs/plugins/hooks.md`. */
export function formatHooksReference(): string {
  const handlers = new Map(readInterface(hooks, 'HookHandlers').map((member) => [member.name, member]));
  const reads = new Map(readInterface(hooks, 'HookReads').map((member) => [member.name, member]));
  const sections = hookNames.map((name) => {
    const [handler, read] = [handlers.get(name), reads.get(name)];
    if (handler === undefined || read === undefined) throw new Error(`${name} is not declared`);
    return formatHook(handler, read);
  });
  return `# The hooks

Generated from [hooks.ts](../../sdk/src/hooks.ts) and the types that it names by \`node tools/write-references.ts\`.
[Writing a plugin](writing-a-plugin.md) explains how they are used, [sequencing](sequencing.md) in which order plugins come.

All hooks are optional and are called as \`hook(context, input)\`, in the order in which they stand here
(of a whole answer \`httpTransportPostHook\` comes before the headers hook). Inputs are read-only. A promise may be returned, within ${defaultTimeoutMs} ms unless \`timeoutMs\` says otherwise. The MCP hooks are part of the contract and of every artefact's interface;
no request of this version calls an MCP server, so nothing calls them yet.

${sections.join('\n\n')}

## Options

A hook is its handler, or an object with these members:

${formatOptions()}

### \`reads\`

${formatTypeDoc('Reads')}

### \`onError\`

${formatTypeDoc('OnError')}

### \`filter\`

${formatTypeDoc('HookFilter')} ${formatTypeDoc('EarlyHookFilter')}

${formatTypeMembers('HookFilter')}

### \`chunks\`

${formatTypeDoc('ChunkMode')}

### \`holdBack\`

${formatTypeDoc('HoldBack')}

${formatTypeMembers('HoldBack')}
`;
}
