/** Compiles a hook's filter: what is fixed for a request is tested once, provider and model where they become known. */
import { headerValue } from '@bifrost/sdk';
import type { HeaderMap, HookFilter, RequestFacts } from '@bifrost/sdk';

/** Tests the facts that a request has from its start; `sample` is the request's draw, 0 to 1. */
export type RequestTest = (facts: RequestFacts, headers: HeaderMap, sample: number) => boolean;

/** Provider and model of an attempt. */
export interface Target {
  readonly provider?: string;
  readonly model?: string;
}

export type TargetTest = (target: Target) => boolean;

/** A compiled filter; null where it states nothing of that kind. */
export interface CompiledFilter {
  readonly request: RequestTest | null;
  readonly target: TargetTest | null;
}

const noFilter: CompiledFilter = { request: null, target: null };

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
    if (Array.isArray(value)) return value.some(test);
    const single = headerValue(headers, name);
    return single !== undefined && test(single);
  };
}

function compileRequestTest(filter: HookFilter): RequestTest | null {
  const tests: RequestTest[] = [];
  const { path, isStream, header, sampling } = filter;
  if (isStream !== undefined) tests.push((facts) => facts.isStream === isStream);
  if (sampling !== undefined) tests.push((_facts, _headers, sample) => sample < sampling);
  if (path !== undefined) {
    const test = compileGlobs(path);
    tests.push((facts) => test(facts.path));
  }
  if (header !== undefined) tests.push(compileHeader(header));
  const [only] = tests;
  if (only === undefined) return null;
  if (tests.length === 1) return only;
  return (facts, headers, sample) => tests.every((test) => test(facts, headers, sample));
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
  return { request: compileRequestTest(filter), target: compileTargetTest(filter) };
}
