import { isJsonObject } from '@bifrost/sdk';
import type { ErrorInfo, Json, JsonObject } from '@bifrost/sdk';

function text(value: Json | undefined): string | undefined {
  if (typeof value === 'string' && value !== '') return value;
  return typeof value === 'number' ? String(value) : undefined;
}

/** FastAPI servers (Mistral, vLLM) put validation errors in `detail`: a string, or a list of `{loc, msg}`. */
function readDetail(detail: Json | undefined): string | undefined {
  if (typeof detail === 'string') return detail;
  if (isJsonObject(detail)) return readDetail(detail['detail']) ?? text(detail['message']);
  if (!Array.isArray(detail)) return undefined;
  const lines = (detail as readonly Json[]).filter(isJsonObject).map((entry) => {
    const where = Array.isArray(entry['loc'])
      ? `${(entry['loc'] as readonly (string | number)[]).map(String).join('.')}: `
      : '';
    return `${where}${text(entry['msg']) ?? 'invalid'}`;
  });
  return lines.length === 0 ? undefined : lines.join('; ');
}

const typesByStatus: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  413: 'invalid_request_error',
  422: 'invalid_request_error',
  429: 'rate_limit_error',
};

function statusOf(error: JsonObject, statusCode: number): number {
  if (statusCode >= 400) return statusCode;
  for (const key of ['status_code', 'code', 'status', 'http_status']) {
    const value = Number(error[key]);
    if (Number.isInteger(value) && value >= 400 && value < 600) return value;
  }
  const word = `${text(error['type']) ?? ''} ${text(error['code']) ?? ''}`;
  if (/rate_?limit|quota|too_many/i.test(word)) return 429;
  if (/overloaded|unavailable/i.test(word)) return 503;
  if (/invalid_request|content_filter|context_length/i.test(word)) return 400;
  return 502;
}

/**
 * Reads an error body of this family. Shapes seen: `{error:{message,type,param,code}}` (OpenAI, Groq, DeepSeek, xAI),
 * `{error:{code,message,details}}` (Azure), `{error:{code:400,message,metadata}}` (OpenRouter), `{error:"text"}` (Ollama, xAI),
 * `{object:"error",message,type,param,code}` (Mistral, vLLM), `{detail:...}` (FastAPI), `[{error}]` (Gemini's compatible endpoint).
 */
export function decodeError(statusCode: number, body: unknown): ErrorInfo {
  const whole = Array.isArray(body) ? (body[0] as unknown) : body;
  if (!isJsonObject(whole)) {
    const detail =
      typeof body === 'string' && body.trim() !== '' && !body.trimStart().startsWith('<')
        ? `: ${body.trim().slice(0, 500)}`
        : '';
    return {
      statusCode: statusOf({}, statusCode),
      message: `the provider answered ${statusCode}${detail}`,
      origin: 'provider',
    };
  }
  const nested = whole['error'];
  const error = isJsonObject(nested) ? nested : whole;
  const message =
    text(error['message']) ??
    readDetail(error['message']) ??
    (typeof nested === 'string' ? nested : undefined) ??
    readDetail(whole['detail']) ??
    text(whole['message']) ??
    text(error['msg']) ??
    `the provider answered ${statusCode} without a message`;
  const [code, type, param] = [text(error['code']), text(error['type']), text(error['param'])];
  const metadata = error['metadata'];
  const raw = isJsonObject(metadata) ? text(metadata['raw']) : undefined;
  return {
    statusCode: statusOf(error, statusCode),
    message: raw === undefined || raw.length > 2000 ? message : `${message}: ${raw}`,
    origin: 'provider',
    upstreamBody: whole,
    ...(code === undefined ? {} : { code }),
    ...(type === undefined ? {} : { type }),
    ...(param === undefined ? {} : { param }),
  };
}

/** The error in this dialect's own shape. */
export function encodeError(error: ErrorInfo): JsonObject {
  return {
    error: {
      message: error.message,
      type:
        error.type ??
        typesByStatus[error.statusCode] ??
        (error.statusCode >= 500 ? 'server_error' : 'invalid_request_error'),
      param: error.param ?? null,
      code: error.code ?? null,
    },
  };
}
