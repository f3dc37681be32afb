/**
 * Compiles a hook's filter in three parts: what many requests have in common is tested once for all of them, what one has from its start once
 * for it, provider and model where they become known.
 */
import type { HeaderMap, HookFilter, RequestFacts } from '@bifrost/sdk';

/** Tests what requests of one kind have in common: their path, and whether they are streams. */
export type KindTest = (facts: RequestFacts) => boolean;

/** Tests what only this request has, from its start; `sample` is the request's draw, 0 to 1. */
export type RequestTest = (facts: RequestFacts, headers: HeaderMap, sample: number) => boolean;

/** Provider and model of an attempt. */
export interface Target {
  readonly provider?: string;
  readonly model?: string;
}

export type TargetTest = (target: Target) => boolean;

/** A compiled filter; null where it states nothing of that kind. */
export interface CompiledFilter {
  readonly kind: KindTest | null;
  readonly request: RequestTest | null;
  readonly target: TargetTest | null;
}

export const noFilter: CompiledFilter = { kind: null, request: null, target: null };

type TextTest = (text: string) => boolean;

function compileGlob(pattern: string): TextTest {
  if (!pattern.includes('*')) return (text) => text === pattern;
  if (pattern === '*') return () => true;
  const source = pattern
    .split('*')
    .map((piece) => piece.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'))
    .join('[^]*');
  const expression = new RegExp(`^${source}$`);
  return (text) => expression.test(text);
}

/** A test of several globs that remembers its last text: requests for one model come in runs. */
function compileGlobs(patterns: string | readonly string[]): TextTest {
  const tests = (typeof patterns === 'string' ? [patterns] : patterns).map(compileGlob);
  let lastText: string | undefined;
  let lastVerdict = false;
  return (text) => {
    if (text === lastText) return lastVerdict;
    lastVerdict = tests.some((test) => test(text));
    lastText = text;
    return lastVerdict;
  };
}

function compileHeader(expression: string): RequestTest {
  const colon = expression.indexOf(':');
  if (colon === -1) {
    const name = expression.trim().toLowerCase();
    return (_facts, headers) => headers[name] !== undefined;
  }
  const name = expression.slice(0, colon).trim().toLowerCase();
  const test = compileGlob(expression.slice(colon + 1).trim());
  return (_facts, headers) => {
    const value = headers[name];
    return typeof value === 'string' ? test(value) : value?.some(test) === true;
  };
}

function compileKindTest({ path, isStream }: HookFilter): KindTest | null {
  if (path === undefined) return isStream === undefined ? null : (facts) => facts.isStream === isStream;
  const tests = (typeof path === 'string' ? [path] : path).map(compileGlob);
  return (facts) => (isStream === undefined || facts.isStream === isStream) && tests.some((test) => test(facts.path));
}

function compileRequestTest({ header, sampling }: HookFilter): RequestTest | null {
  const test = header === undefined ? null : compileHeader(header);
  if (sampling === undefined) return test;
  return (facts, headers, sample) => sample < sampling && (test === null || test(facts, headers, sample));
}

function compileTargetTest(filter: HookFilter): TargetTest | null {
  const provider = filter.provider === undefined ? null : compileGlobs(filter.provider);
  const model = filter.model === undefined ? null : compileGlobs(filter.model);
  const qualified = filter.model === undefined ? null : compileGlobs(filter.model);
  if (provider === null && model === null) return null;
  return (target) => {
    if (provider !== null && (target.provider === undefined || !provider(target.provider))) return false;
    if (model === null || qualified === null) return true;
    if (target.model === undefined) return false;
    return model(target.model) || (target.provider !== undefined && qualified(`${target.provider}/${target.model}`));
  };
}

/** Compiles `filter`; a filter without members lets everything through. */
export function compileFilter(filter: HookFilter | undefined): CompiledFilter {
  if (filter === undefined) return noFilter;
  return {
    kind: compileKindTest(filter),
    request: compileRequestTest(filter),
    target: compileTargetTest(filter),
  };
}
