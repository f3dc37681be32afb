import type { ErrorInfo, JsonObject } from '@bifrost/sdk';
import type { RequestRun } from './run.ts';

/** Bifrost's own error shape, on the unified routes; `error` alone is what OpenAI's clients read. */
function gatewayShape(run: RequestRun, error: ErrorInfo): JsonObject {
  return {
    is_bifrost_error: error.origin !== 'provider',
    status_code: error.statusCode,
    error: {
      ...(error.type === undefined ? {} : { type: error.type }),
      ...(error.code === undefined ? {} : { code: error.code }),
      message: error.message,
      ...(error.param === undefined ? {} : { param: error.param }),
    },
    extra_fields: {
      ...(run.target === undefined ? {} : { provider: run.target.runtime.name }),
      model_requested: run.modelText,
      request_type: run.requestType,
    },
  };
}

/** An error as the client's JSON: Bifrost's shape on the unified routes, the SDK's own on a drop-in route. */
export function errorBody(run: RequestRun, error: ErrorInfo): JsonObject {
  return run.request.route.isDropIn ? run.clientCodec.encodeError(error) : gatewayShape(run, error);
}
