import { InvalidRequestError } from '@bifrost/sdk';
import { memberValue, storedValue } from '../json/member-value.ts';
import { peekTopLevel } from '../json/peek.ts';
import type { TopLevel } from '../json/peek.ts';
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
      run.isStream = fieldOf(run, peekOnce(run), streamField) === true;
    } catch {
      // Not JSON as it stands.
    }
  }
}

/** The members of the body. Throws InvalidRequestError. */
function peekOnce(run: RequestRun): TopLevel {
  if (run.isPeeked && run.top !== undefined) return run.top;
  const top = run.stored === null ? peekTopLevel(run.body, peekedKeys) : run.stored.scanned.top();
  run.top = top;
  run.isPeeked = true;
  return top;
}

/** The parsed value of a field, by its position in `peekedKeys`; undefined where it is absent. Throws InvalidRequestError. */
export function fieldOf(run: RequestRun, top: TopLevel, field: number): unknown {
  const found = top.members[field];
  if (run.stored === null) return memberValue(run.body, found);
  const member = found?.at(-1);
  if (member === undefined) return undefined;
  return storedValue(run.stored.readNow(member.valueStart, member.valueEnd), member.valueStart);
}

/** The stage `peek`: finds model, stream and fallbacks in the body's bytes. Throws InvalidRequestError with `param`. */
export function peekRequest(run: RequestRun): void {
  const { route } = run.request;
  const top = peekOnce(run);
  run.isStream = false;
  run.fallbacks = readFallbacks(fieldOf(run, top, fallbacksField));
  if (route.pathModel !== undefined) {
    run.modelText = route.pathModel;
    run.isStream = route.pathStream ?? false;
    return;
  }
  const model = fieldOf(run, top, modelField);
  if (model === undefined && mayBeModelless(run)) {
    run.isStream = readStream(fieldOf(run, top, streamField));
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
  if (route.operation === 'conversation') run.isStream = readStream(fieldOf(run, top, streamField));
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
