import { InvalidRequestError } from '@bifrost/sdk';
import { admission, keysOf } from '../reliability/key-selection.ts';
import type { ProviderRuntime } from './provider-runtime.ts';

/** Where one attempt goes: a provider and the model as the caller named it there. */
export interface Target {
  readonly runtime: ProviderRuntime;
  readonly model: string;
}

/** The configured providers by name; embedded ones are always among them. */
export type ProviderTable = ReadonlyMap<string, ProviderRuntime>;

/** `provider/model` where the prefix up to the first slash names a provider; undefined otherwise. */
export function parseQualifiedModel(text: string, providers: ProviderTable): Target | undefined {
  const slash = text.indexOf('/');
  if (slash <= 0 || slash === text.length - 1 || hasDotSegment(text)) return undefined;
  const runtime = providers.get(text.slice(0, slash));
  return runtime === undefined ? undefined : { runtime, model: text.slice(slash + 1) };
}

/**
 * Some providers have the model in the path. It is encoded there, but whoever stands in front of a provider may decode it before he
 * looks where `..` leads.
 */
function hasDotSegment(text: string): boolean {
  return text.includes('.') && /(?:^|\/)\.{1,2}(?:\/|$)/.test(text);
}

/**
 * Finds the provider of a model. `provider/model` says it; a bare name goes to the drop-in route's own provider, else to the
 * only one whose keys admit it: those that name the model come before those with a wildcard. Throws InvalidRequestError
 * (`BF_MODEL_UNRESOLVED`) that lists the candidates.
 */
export function resolveModel(text: string, providers: ProviderTable, defaultProvider: string | undefined): Target {
  if (hasDotSegment(text)) {
    throw new InvalidRequestError('"model" has a "." or ".." between slashes; no model is called so', {
      code: 'BF_REQUEST_FIELD_INVALID',
      param: 'model',
    });
  }
  const qualified = parseQualifiedModel(text, providers);
  if (qualified !== undefined) return qualified;
  const named: ProviderRuntime[] = [];
  const open: ProviderRuntime[] = [];
  for (const runtime of providers.values()) {
    const how = runtime.config.definition.isEmbedded === true ? 'none' : bestAdmission(runtime, text);
    if (how === 'none') continue;
    if (runtime.name === defaultProvider) return { runtime, model: text };
    (how === 'named' ? named : open).push(runtime);
  }
  const candidates = named.length > 0 ? named : open;
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return { runtime: only, model: text };
  throw unresolved(text, candidates, providers);
}

function bestAdmission(runtime: ProviderRuntime, model: string): 'named' | 'wildcard' | 'none' {
  let best: 'named' | 'wildcard' | 'none' = 'none';
  for (const key of keysOf(runtime.config)) {
    const how = admission(key, model);
    if (how === 'named') return how;
    if (how === 'wildcard') best = how;
  }
  return best;
}

function unresolved(
  text: string,
  candidates: readonly ProviderRuntime[],
  providers: ProviderTable,
): InvalidRequestError {
  const shown = text.length > 200 ? `${text.slice(0, 200)}...` : text;
  const configured = [...providers.keys()].join(', ');
  const problem =
    candidates.length > 1
      ? `several providers may serve the model "${shown}": ${candidates.map((one) => `${one.name}/${shown}`).join(', ')}`
      : `could not auto resolve a provider for the model "${shown}"`;
  return new InvalidRequestError(
    `${problem}; write it as "provider/model" with one of the configured providers (${configured})`,
    { code: 'BF_MODEL_UNRESOLVED', param: 'model' },
  );
}
