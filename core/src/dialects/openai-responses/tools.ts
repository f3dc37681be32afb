/** Tools and the choice among them. */
import type { ConversationRequest, FunctionTool, Json, JsonObject, Tool, ToolChoice } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { reportCacheControl } from './content.ts';
import { booleanField, objectField, stringField } from './json-fields.ts';
import { reportBelow } from './loss-path.ts';
import { defined, dialect, isOwn, ownRemainder, remainderOf, reportForeign, spread, toResidue } from './residue.ts';

/** `format` of a custom tool as a grammar, where it is one and nothing else. */
function grammarOf(tool: JsonObject): { readonly syntax: string; readonly definition: string } | undefined {
  const format = objectField(tool, 'format');
  const [syntax, definition] = [stringField(format ?? {}, 'syntax'), stringField(format ?? {}, 'definition')];
  if (format?.['type'] !== 'grammar' || syntax === undefined || definition === undefined) return undefined;
  return Object.keys(format).length === 3 ? { syntax, definition } : undefined;
}

function decodeFunction(tool: JsonObject, name: string): FunctionTool {
  const isFreeform = tool['type'] === 'custom';
  const grammar = isFreeform ? grammarOf(tool) : undefined;
  const taken = isFreeform
    ? ['type', 'name', 'description', ...(grammar === undefined ? [] : ['format'])]
    : ['type', 'name', 'description', 'parameters', 'strict'];
  return {
    type: 'function',
    name,
    ...defined({ description: stringField(tool, 'description') }),
    ...(isFreeform
      ? { isFreeform, ...defined({ grammar }) }
      : defined({ parameters: objectField(tool, 'parameters'), strict: booleanField(tool, 'strict') })),
    ...toResidue(remainderOf(tool, taken)),
  };
}

/** Decodes one tool: functions and custom (free text) tools are the caller's, every other type is run by the provider. */
export function decodeTool(tool: JsonObject): Tool {
  const name = stringField(tool, 'name');
  const { type } = tool;
  if ((type === 'function' || type === 'custom') && name !== undefined) return decodeFunction(tool, name);
  return { type: 'server', dialect, name: typeof type === 'string' ? type : 'unknown', value: tool };
}

/** Encodes the tools; the caller's own functions of other dialects are marked not strict, as this API would make them so by itself. */
export function encodeTools(tools: readonly Tool[], isNative: boolean, report: LossReport): JsonObject[] {
  return tools.flatMap((tool, index): JsonObject[] => {
    const below = reportBelow(report, `tools[${index}]`);
    if (tool.type === 'server') {
      if (tool.dialect === dialect) return [tool.value];
      below.add({ action: 'dropped', field: '', reason: `only ${tool.dialect} providers run it` });
      return [];
    }
    reportForeign(tool, below);
    reportCacheControl(tool, below);
    const { name, description, parameters, strict, isFreeform, grammar } = tool;
    const own = spread(ownRemainder(tool));
    if (isFreeform === true) {
      const format = grammar === undefined ? undefined : { type: 'grammar', ...grammar };
      return [{ ...own, type: 'custom', ...defined({ name, description, format }) }];
    }
    const isPlain = isNative || isOwn(tool);
    const defaults = isPlain ? {} : { parameters: { type: 'object', properties: {} }, strict: false };
    return [{ ...defaults, ...own, type: 'function', ...defined({ name, description, parameters, strict }) }];
  });
}

function allowedNames(choice: JsonObject): readonly string[] | undefined {
  const { tools } = choice;
  if (!Array.isArray(tools)) return undefined;
  const names: string[] = [];
  for (const tool of tools as readonly Json[]) {
    if (!isJsonObject(tool) || tool['type'] !== 'function' || Object.keys(tool).length !== 2) return undefined;
    const name = stringField(tool, 'name');
    if (name === undefined) return undefined;
    names.push(name);
  }
  return names;
}

/** The canonical choice; undefined for a choice among hosted tools, which then stays in the request's residue. */
export function decodeToolChoice(choice: Json | undefined): ToolChoice | undefined {
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { type: choice };
  if (!isJsonObject(choice)) return undefined;
  const [name, mode] = [stringField(choice, 'name'), choice['mode']];
  const size = Object.keys(choice).length;
  if (choice['type'] === 'function' && name !== undefined && size === 2) return { type: 'tool', name };
  const names = choice['type'] === 'allowed_tools' && size === 3 ? allowedNames(choice) : undefined;
  return names !== undefined && (mode === 'auto' || mode === 'required') ? { type: 'allowed', names, mode } : undefined;
}

/** The choice as the API says it. */
export function encodeToolChoice(choice: ToolChoice, tools: ConversationRequest['tools']): Json {
  const typeOf = (name: string): string => {
    const tool = tools?.find((one) => one.type === 'function' && one.name === name);
    return tool?.type === 'function' && tool.isFreeform === true ? 'custom' : 'function';
  };
  if (choice.type === 'tool') return { type: typeOf(choice.name), name: choice.name };
  if (choice.type !== 'allowed') return choice.type;
  const allowed = choice.names.map((name) => ({ type: typeOf(name), name }));
  return { type: 'allowed_tools', mode: choice.mode, tools: allowed };
}
