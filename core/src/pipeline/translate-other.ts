import { InvalidRequestError } from '@bifrost/sdk';
import type { JsonObject } from '@bifrost/sdk';
import type { Attempt } from './attempt.ts';

/** The answer of an operation that is no conversation, in the client's dialect. */
export function translateOther(attempt: Attempt, _body: JsonObject): Buffer {
  throw new InvalidRequestError(
    `${attempt.run.request.route.requestType} cannot be translated to the dialect of the provider ${attempt.plan.runtime.name}`,
    { code: 'BF_OPERATION_UNSUPPORTED' },
  );
}
