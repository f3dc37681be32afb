/** `tools` and `tool_choice`. */
import type { ConversationRequest, FunctionTool, Json, JsonObject, Tool, ToolChoice } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { encodeCacheControl, takeCacheControl } from './cache-control.ts';
import { present, putBack, takeBoolean, takeObject, takeString } from './fields.ts';
import type { Fields } from './fields.ts';
import { hasStructuredOutputs } from './models.ts';
import { dialect, isOwn, reportForeign, toResidue, withResidue } from './residue.ts';

/** A tool with an `input_schema` is the caller's function; any other is run or defined by Anthropic. */
export function decodeTool(wire: JsonObject): Tool {
  const rest: Fields = { ...wire };
  const name = takeString(rest, 'name');
  const { type } = wire;
  const isFunction = type === undefined || type === null || type === 'custom';
  if (!isFunction || name === undefined) {
    return { type: 'server', dialect, name: name ?? (typeof type === 'string' ? type : 'unknown'), value: wire };
  }
  delete rest['type'];
  const { input_schema: schema } = rest;
  if (isJsonObject(schema)) delete rest['input_schema'];
  return present({
    type: 'function',
    name,
    description: takeString(rest, 'description'),
    parameters: isJsonObject(schema) ? schema : undefined,
    strict: takeBoolean(rest, 'strict'),
    cacheControl: takeCacheControl(rest),
    residue: toResidue(rest, type === undefined ? {} : { type }),
  } as const);
}

function foreignSchema(tool: FunctionTool): JsonObject {
  if (tool.parameters === undefined) return { type: 'object', properties: {} };
  return tool.parameters['type'] === undefined ? { type: 'object', ...tool.parameters } : tool.parameters;
}

/** Free text as the one member that `toToolInput` uses too. */
const freeformSchema: JsonObject = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
};

function foreignStrict(tool: FunctionTool, request: ConversationRequest): boolean {
  return tool.strict === true && hasStructuredOutputs(request.model);
}

function encodeFunction(
  tool: FunctionTool,
  request: ConversationRequest,
  path: string,
  report: LossReport,
): JsonObject {
  reportForeign(tool.residue, path, report);
  const own = isOwn(request);
  if (!own && tool.strict === true && !foreignStrict(tool, request)) {
    report.add({ action: 'dropped', field: `${path}.strict`, reason: `${request.model} has no strict tools` });
  }
  if (tool.isFreeform === true) {
    const reason = 'Anthropic has no free-text tools: the text is asked for as the member "input" of an object';
    report.add({ action: 'changed', field: path, reason });
  }
  const schema = tool.isFreeform === true ? freeformSchema : own ? tool.parameters : foreignSchema(tool);
  const encoded = present({
    name: tool.name,
    description: tool.description,
    input_schema: schema,
    strict: own ? tool.strict : foreignStrict(tool, request) || undefined,
    cache_control: tool.cacheControl === undefined ? undefined : encodeCacheControl(tool.cacheControl),
  });
  return withResidue(encoded, tool.residue);
}

/** The tools as Anthropic takes them; those of another provider are reported. */
export function encodeTools(request: ConversationRequest, report: LossReport): readonly JsonObject[] | undefined {
  const { tools, toolChoice } = request;
  if (tools === undefined) return undefined;
  const allowed = toolChoice?.type === 'allowed' ? new Set(toolChoice.names) : undefined;
  const encoded: JsonObject[] = [];
  for (const [index, tool] of tools.entries()) {
    const path = `tools[${index}]`;
    if (tool.type === 'function') {
      if (allowed === undefined || allowed.has(tool.name)) {
        encoded.push(encodeFunction(tool, request, path, report));
      } else {
        report.add({
          action: 'dropped',
          field: path,
          reason: 'Anthropic has no list of allowed tools: the others are left out',
        });
      }
    } else if (tool.dialect === dialect) encoded.push(tool.value);
    else report.add({ action: 'dropped', field: path, reason: `only ${tool.dialect} providers run this tool` });
  }
  return encoded.length > 0 || (isOwn(request) && tools.length === 0) ? encoded : undefined;
}

/** Takes `tool_choice` out of a request's fields. */
export function takeToolChoice(fields: Fields): Pick<ConversationRequest, 'toolChoice' | 'isParallelToolCallsAllowed'> {
  const rest = takeObject(fields, 'tool_choice');
  if (rest === undefined) return {};
  const toolChoice = readChoice(rest);
  if (toolChoice === undefined) {
    fields['tool_choice'] = rest;
    return {};
  }
  delete rest['type'];
  const isDisabled = takeBoolean(rest, 'disable_parallel_tool_use');
  putBack(fields, 'tool_choice', rest);
  return present({ toolChoice, isParallelToolCallsAllowed: isDisabled === undefined ? undefined : !isDisabled });
}

function readChoice(fields: Fields): ToolChoice | undefined {
  switch (fields['type']) {
    case 'auto':
    case 'none':
      return { type: fields['type'] };
    case 'any':
      return { type: 'required' };
    case 'tool': {
      const name = takeString(fields, 'name');
      return name === undefined ? undefined : { type: 'tool', name };
    }
    default:
      return undefined;
  }
}

function choiceFields(choice: ToolChoice): Fields {
  switch (choice.type) {
    case 'auto':
    case 'none':
      return { type: choice.type };
    case 'required':
      return { type: 'any' };
    case 'tool':
      return { type: 'tool', name: choice.name };
    case 'allowed': // the tools themselves are cut down to the allowed ones, see encodeTools
      return { type: choice.mode === 'required' ? 'any' : 'auto' };
  }
}

/** True where the caller wants a tool to be called whatever the model thinks. */
export function isToolForced(request: ConversationRequest): boolean {
  const choice = request.toolChoice;
  return (
    choice?.type === 'required' || choice?.type === 'tool' || (choice?.type === 'allowed' && choice.mode === 'required')
  );
}

/** `tool_choice`, which Anthropic refuses where there are no tools. */
export function encodeToolChoice(
  request: ConversationRequest,
  hasTools: boolean,
  report: LossReport,
): Json | undefined {
  const { toolChoice, isParallelToolCallsAllowed: isParallel } = request;
  const own = isOwn(request);
  if (!own && !hasTools) {
    const reason = 'no tool is left that Anthropic could call';
    if (isToolForced(request)) report.add({ action: 'dropped', field: 'tool_choice', reason });
    if (isParallel === false) report.add({ action: 'dropped', field: 'parallel_tool_calls', reason });
    return undefined;
  }
  if (toolChoice?.type === 'allowed') {
    const reason = 'Anthropic has no list of allowed tools: only those are sent';
    report.add({ action: 'changed', field: 'tool_choice', reason });
  }
  if (toolChoice === undefined && (isParallel !== false || !hasTools)) return undefined;
  const encoded = choiceFields(toolChoice ?? { type: 'auto' });
  if (isParallel === false && encoded['type'] !== 'none') encoded['disable_parallel_tool_use'] = true;
  if (isParallel === false && encoded['type'] === 'none' && own) encoded['disable_parallel_tool_use'] = true;
  if (isParallel === true && own) encoded['disable_parallel_tool_use'] = false;
  return encoded;
}
