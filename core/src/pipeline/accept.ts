import { InvalidRequestError } from '@bifrost/sdk';
import type { RequestRun } from './run.ts';

/** The stage `accept`: the headers that the operator requires are there. Throws InvalidRequestError. */
export function acceptRequest(run: RequestRun): void {
  run.sink.onClose(() => run.cancel());
  if (run.sink.isClosed) run.cancel();
  const { requiredHeaders } = run.snapshot.client;
  for (const name of requiredHeaders) {
    if (run.request.headers[name.toLowerCase()] === undefined) {
      throw new InvalidRequestError(`the header "${name}" is required on every request`, {
        code: 'BF_REQUEST_HEADER_MISSING',
        param: name,
      });
    }
  }
}
