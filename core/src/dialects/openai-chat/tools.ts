import { isJsonObject } from '@bifrost/sdk';
import type { FunctionTool, Json, JsonObject, Tool, ToolChoice } from '@bifrost/sdk';
import { readCacheControl } from './content-decode.ts';
import { addCacheControl } from './content-encode.ts';
import { addResidue, formOf, setField } from './encode-context.ts';
import type { EncodeContext } from './encode-context.ts';
import { ObjectReader, optional, residueOf, wrongType } from './object-reader.ts';
import type { MutableJson } from './object-reader.ts';

function decodeFunction(raw: JsonObject, owner: ObjectReader, key: string): Omit<FunctionTool, 'type' | 'residue'> {
  const reader = new ObjectReader(raw, key === '' ? owner.path : owner.pathOf(key), owner.mode);
  const name = reader.string('name');
  if (name === undefined) throw wrongType(reader.pathOf('name'), reader.peek('name'), "the function's name");
  const tool = {
    name,
    ...optional('description', reader.string('description')),
    ...optional('parameters', reader.object('parameters')),
    ...optional('strict', reader.boolean('strict')),
  };
  const rest = reader.rest();
  if (rest !== undefined) owner.note('inner', { ...(rest.form?.['plain'] as JsonObject | undefined), ...rest.fields });
  return tool;
}

/** `{type: 'custom', custom: {name, description, format}}`: free text, or text of a grammar. */
function decodeCustom(raw: JsonObject, reader: ObjectReader): FunctionTool {
  const inner = new ObjectReader(raw, reader.pathOf('custom'), reader.mode);
  const name = inner.string('name');
  if (name === undefined) throw wrongType(inner.pathOf('name'), inner.peek('name'), "the tool's name");
  const description = inner.string('description');
  const format = inner.peek('format');
  const body =
    isJsonObject(format) && format['type'] === 'grammar' && isJsonObject(format['grammar'])
      ? format['grammar']
      : undefined;
  const [syntax, definition] = [body?.['syntax'], body?.['definition']];
  const grammar = typeof syntax === 'string' && typeof definition === 'string' ? { syntax, definition } : undefined;
  if (grammar !== undefined) inner.take('format');
  const rest = inner.rest();
  if (rest !== undefined) reader.note('inner', { ...(rest.form?.['plain'] as JsonObject | undefined), ...rest.fields });
  return {
    type: 'function',
    name,
    isFreeform: true,
    ...optional('description', description),
    ...optional('grammar', grammar),
    ...residueOf(reader),
  };
}

/** One entry of `tools`. Tools that the provider runs are kept whole. */
export function decodeTool(raw: Json, path: string, owner: ObjectReader): Tool {
  if (!isJsonObject(raw)) throw wrongType(path, raw, 'an object with type and function');
  const reader = new ObjectReader(raw, path, owner.mode);
  const type = raw['type'];
  if (type === 'custom' && isJsonObject(raw['custom'])) {
    reader.take('type');
    reader.take('custom');
    return decodeCustom(raw['custom'], reader);
  }
  if (type !== undefined && type !== 'function') {
    if (typeof type !== 'string') throw wrongType(`${path}.type`, type, "'function' or another tool type");
    return { type: 'server', dialect: owner.mode.dialect, name: type, value: raw };
  }
  reader.noteAbsent('type');
  reader.take('type');
  const inner = reader.object('function');
  if (inner === undefined) throw wrongType(`${path}.function`, raw['function'], 'an object with name and parameters');
  const tool = decodeFunction(inner, reader, 'function');
  return { type: 'function', ...tool, ...readCacheControl(reader), ...residueOf(reader) };
}

/** One entry of the legacy `functions`. */
export function decodeLegacyFunction(raw: Json, path: string, owner: ObjectReader): FunctionTool {
  if (!isJsonObject(raw)) throw wrongType(path, raw, 'an object with name and parameters');
  const reader = new ObjectReader({}, path, owner.mode);
  reader.note('field', 'functions');
  return { type: 'function', ...decodeFunction(raw, reader, ''), ...residueOf(reader) };
}

function encodeFunctionTool(tool: FunctionTool, path: string, context: EncodeContext): JsonObject {
  const form = formOf(tool.residue, context.dialect);
  const inner: MutableJson = { name: tool.name };
  setField(inner, 'description', tool.description);
  if (tool.isFreeform === true) {
    if (tool.grammar !== undefined) inner['format'] = { type: 'grammar', grammar: tool.grammar };
  } else {
    setField(inner, 'parameters', tool.parameters);
    setField(inner, 'strict', tool.strict);
  }
  for (const [key, value] of Object.entries((form['inner'] as JsonObject | undefined) ?? {})) {
    if (value !== undefined && inner[key] === undefined) inner[key] = value;
  }
  if (form['field'] === 'functions') return inner;
  const key = tool.isFreeform === true ? 'custom' : 'function';
  const target: MutableJson = { type: key, [key]: inner };
  addCacheControl(target, tool.cacheControl, path, context);
  return addResidue(target, tool.residue, path, context);
}

/** Writes `tools`, and `functions` for those that came in the legacy form. */
export function encodeTools(target: MutableJson, tools: readonly Tool[], context: EncodeContext): void {
  const modern: JsonObject[] = [];
  const legacy: JsonObject[] = [];
  for (const [index, tool] of tools.entries()) {
    const path = `tools[${index}]`;
    if (tool.type === 'server') {
      if (tool.dialect === context.dialect) modern.push(tool.value);
      else
        context.report.add({
          action: 'dropped',
          field: path,
          reason: `the tool ${tool.name} exists only in ${tool.dialect}`,
        });
    } else if (formOf(tool.residue, context.dialect)['field'] === 'functions')
      legacy.push(encodeFunctionTool(tool, path, context));
    else modern.push(encodeFunctionTool(tool, path, context));
  }
  if (modern.length > 0) target['tools'] = modern;
  if (legacy.length > 0) target['functions'] = legacy;
}

/** `tool_choice` (or the legacy `function_call`); undefined for a form without a canonical one, which stays in the remainder. */
export function decodeToolChoice(raw: Json | undefined, reader: ObjectReader): ToolChoice | undefined {
  if (raw === 'auto' || raw === 'none' || raw === 'required') return { type: raw };
  if (raw === 'any') {
    reader.note('toolChoice', 'any');
    return { type: 'required' };
  }
  if (!isJsonObject(raw)) {
    if (raw !== undefined && raw !== null && typeof raw !== 'string')
      throw wrongType('tool_choice', raw, "'auto', 'none', 'required' or an object");
    return undefined;
  }
  const { type, function: named, custom, allowed_tools: allowed } = raw;
  const inner = type === 'custom' ? custom : (named ?? (typeof raw['name'] === 'string' ? raw : undefined));
  if (isJsonObject(inner) && typeof inner['name'] === 'string') {
    const isByTheBook =
      type === 'function' && inner !== raw && Object.keys(inner).length === 1 && Object.keys(raw).length === 2;
    if (!isByTheBook) reader.note('toolChoice', raw);
    return { type: 'tool', name: inner['name'] };
  }
  if (type !== 'allowed_tools' || !isJsonObject(allowed) || !Array.isArray(allowed['tools'])) return undefined;
  const names = (allowed['tools'] as readonly Json[]).map((tool) =>
    isJsonObject(tool) && isJsonObject(tool['function']) ? tool['function']['name'] : undefined,
  );
  const mode = allowed['mode'];
  if (!names.every((name) => typeof name === 'string') || (mode !== 'auto' && mode !== 'required')) return undefined;
  return { type: 'allowed', names, mode };
}

/** The reverse of `decodeToolChoice`. A named choice keeps its spelling as long as it names the same tool. */
export function encodeToolChoice(choice: ToolChoice, form: JsonObject, freeform: ReadonlySet<string>): Json {
  const spelled = form['toolChoice'];
  if (choice.type === 'required' && spelled === 'any') return 'any';
  if (choice.type === 'tool') {
    if (isJsonObject(spelled)) {
      const key = isJsonObject(spelled['custom'])
        ? 'custom'
        : isJsonObject(spelled['function'])
          ? 'function'
          : undefined;
      return key === undefined
        ? { ...spelled, name: choice.name }
        : { ...spelled, [key]: { ...(spelled[key] as JsonObject), name: choice.name } };
    }
    const key = freeform.has(choice.name) ? 'custom' : 'function';
    return { type: key, [key]: { name: choice.name } };
  }
  if (choice.type !== 'allowed') return choice.type;
  const tools = choice.names.map((name) => ({ type: 'function', function: { name } }));
  return { type: 'allowed_tools', allowed_tools: { mode: choice.mode, tools } };
}
