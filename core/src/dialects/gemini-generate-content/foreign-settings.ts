import type { CacheControl, ConversationRequest, Residue } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { dialect, isOwn } from './form.ts';

/** Reports every field of another dialect's residue as dropped; this dialect's own is written back, not lost. */
export function reportResidue(residue: Residue | undefined, prefix: string, report: LossReport): void {
  if (residue === undefined || isOwn(residue)) return;
  for (const field of Object.keys(residue.fields)) {
    report.add({ action: 'dropped', field: prefix + field, reason: 'Gemini has no such field' });
  }
}

/** Gemini caches by prefix on its own, or by `cachedContents`, which are made beforehand. */
export function reportCacheControl(
  part: { readonly cacheControl?: CacheControl },
  path: string,
  report: LossReport,
): void {
  if (part.cacheControl === undefined) return;
  report.add({ action: 'dropped', field: `${path}.cache_control`, reason: 'Gemini caches prefixes on its own' });
}

function reportTools(request: ConversationRequest, report: LossReport): void {
  request.tools?.forEach((tool, index) => {
    const path = `tools[${index}]`;
    if (tool.type === 'server') {
      if (tool.dialect === dialect) return;
      report.add({ action: 'dropped', field: path, reason: `${tool.name} runs at another provider only` });
      return;
    }
    reportResidue(tool.residue, `${path}.`, report);
    reportCacheControl(tool, path, report);
    if (tool.isFreeform === true) {
      report.add({ action: 'changed', field: path, reason: 'free text becomes a function with one string, "input"' });
    }
    if (tool.grammar !== undefined) {
      report.add({ action: 'dropped', field: `${path}.grammar`, reason: 'Gemini has no grammars' });
    }
    if (tool.strict === true) {
      report.add({ action: 'dropped', field: `${path}.strict`, reason: 'Gemini has no strict functions' });
    }
  });
}

/** Reports the settings of a request that have no form in Gemini. */
export function reportForeignSettings(request: ConversationRequest, report: LossReport): void {
  const dropped = (field: string, reason: string): void => report.add({ action: 'dropped', field, reason });
  reportResidue(request.residue, '', report);
  reportTools(request, report);
  if (request.isParallelToolCallsAllowed === false) {
    dropped('parallel_tool_calls', 'Gemini cannot be kept from calling several functions at once');
  }
  if (request.userId !== undefined) dropped('user', 'Gemini has no end-user id');
  if (request.serviceTier !== undefined) dropped('service_tier', 'Gemini has no service tier in its requests');
  if (request.metadata !== undefined) dropped('metadata', 'Gemini has no request metadata');
  if (request.toolChoice !== undefined && !isOwn(request.residue) && !hasFunctions(request)) {
    dropped('tool_choice', 'no function is left to choose');
  }
  const { responseFormat: format } = request;
  reportResidue(format?.residue, 'response_format.', report);
  reportResidue(request.reasoning?.residue, 'reasoning.', report);
  if (format?.type !== 'json-schema') return;
  for (const name of ['name', 'description'] as const) {
    if (format[name] === undefined) continue;
    report.add({ action: 'changed', field: 'response_format', reason: `Gemini has no ${name} beside the schema` });
  }
}

function hasFunctions(request: ConversationRequest): boolean {
  return request.tools?.some((tool) => tool.type === 'function') ?? false;
}
