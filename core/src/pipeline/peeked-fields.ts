import { InvalidRequestError } from '@bifrost/sdk';
import { memberValue, peekTopLevel } from '../json/peek.ts';
import type { RequestRun } from './run.ts';

/** What the gateway reads of a body; `field` numbers are positions in a peek's `members`. */
export const peekedKeys = ['model', 'stream', 'fallbacks', 'stream_options'] as const;
export const modelField = 0;
export const streamField = 1;
export const fallbacksField = 2;
export const streamOptionsField = 3;

/**
 * For plugins, whose filters and facts say before the stage `peek` whether the answer is to be a stream: what the caller's body says of
 * that. What is wrong with the body is for the stage to say, once plugins may have changed it.
 */
export function glimpseStream(run: RequestRun): void {
  const { pathStream, operation } = run.request.route;
  if (pathStream !== undefined) run.isStream = pathStream;
  else if (operation === 'conversation') {
    try {
      run.top = peekTopLevel(run.body, peekedKeys);
      run.peekedBody = run.body;
      run.isStream = memberValue(run.body, run.top.members[streamField]) === true;
    } catch {
      // Not JSON as it stands.
    }
  }
}

/** The stage `peek`: finds model, stream and fallbacks in the body's bytes. Throws InvalidRequestError with `param`. */
export function peekRequest(run: RequestRun): void {
  const { route } = run.request;
  const seen = run.peekedBody === run.body ? run.top : undefined;
  const top = seen ?? peekTopLevel(run.body, peekedKeys);
  run.top = top;
  run.isStream = false;
  run.fallbacks = readFallbacks(memberValue(run.body, top.members[fallbacksField]));
  if (route.pathModel !== undefined) {
    run.modelText = route.pathModel;
    run.isStream = route.pathStream ?? false;
    return;
  }
  const model = memberValue(run.body, top.members[modelField]);
  if (model === undefined && mayBeModelless(run)) {
    run.isStream = readStream(memberValue(run.body, top.members[streamField]));
    return;
  }
  if (typeof model !== 'string' || model === '') {
    const given = model === undefined ? 'it is missing' : model === '' ? 'it is empty' : `it is ${kindOf(model)}`;
    throw new InvalidRequestError(`"model" must be a string such as "provider/model", but ${given}`, {
      code: 'BF_REQUEST_FIELD_INVALID',
      param: 'model',
    });
  }
  run.modelText = model;
  run.bodyModel = model;
  if (route.operation === 'conversation') run.isStream = readStream(memberValue(run.body, top.members[streamField]));
}

/** A stored prompt of the Responses API names the model itself; that only its own provider can know. */
function mayBeModelless(run: RequestRun): boolean {
  const { route } = run.request;
  return route.dialect === 'openai-responses' && route.isDropIn && route.defaultProvider !== undefined;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}

function readStream(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === 'boolean') return value;
  throw new InvalidRequestError(`"stream" must be true or false, but it is ${kindOf(value)}`, {
    code: 'BF_REQUEST_FIELD_INVALID',
    param: 'stream',
  });
}

const noFallbacks: readonly string[] = [];

function readFallbacks(value: unknown): readonly string[] {
  if (value === undefined || value === null) return noFallbacks;
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  throw new InvalidRequestError('"fallbacks" must be an array of "provider/model" strings', {
    code: 'BF_REQUEST_FIELD_INVALID',
    param: 'fallbacks',
  });
}
