import type { IncomingMessage } from 'node:http';

export interface OriginRules {
  /** The gateway listens on loopback only: then Host and Origin are checked. */
  readonly isLoopback: boolean;
  /** `client.allowed_origins`. On loopback `*` counts as not configured: loopback origins only. */
  readonly allowedOrigins: readonly string[];
  /** `client.allowed_headers`, beside the ones that the SDKs send. */
  readonly allowedHeaders: readonly string[];
}

const loopbackName = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;
const loopbackOrigin = /^https?:\/\/(localhost|127(?:\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;
const sdkHeader =
  /^(?:accept|authorization|content-type|api-key|x-api-key|x-goog-api-key|x-request-id|traceparent|idempotency-key|user-agent|(?:x-bf|x-stainless|anthropic|openai|x-goog)-[\w-]+)$/i;

/** Most distinct Host values remembered as good: callers name few. */
const maxRemembered = 64;

export type GuardVerdict = 'ok' | 'host' | 'origin';

/**
 * Keeps web pages from spending the user's keys. On loopback the Host must be a loopback name (against DNS rebinding) and an
 * Origin, which browsers send, a loopback origin or one that is configured.
 */
export class OriginGuard {
  readonly #rules: OriginRules;
  readonly #goodHosts = new Set<string>();

  constructor(rules: OriginRules) {
    this.#rules = rules;
  }

  check({ headers }: Pick<IncomingMessage, 'headers'>): GuardVerdict {
    if (!this.#rules.isLoopback) return 'ok';
    const { host, origin } = headers;
    if (host !== undefined && !this.#isLoopbackHost(host)) return 'host';
    return origin === undefined || this.isAllowedOrigin(origin) ? 'ok' : 'origin';
  }

  /** Whether a script of this origin may read answers. */
  isAllowedOrigin(origin: string): boolean {
    const { allowedOrigins, isLoopback } = this.#rules;
    if (loopbackOrigin.test(origin)) return true;
    return allowedOrigins.some((allowed) =>
      allowed === '*' ? !isLoopback : matchesOrigin(allowed.toLowerCase(), origin.toLowerCase()),
    );
  }

  /** Headers that let a browser's script read the answer; undefined without an allowed Origin. */
  corsHeaders(request: IncomingMessage): Readonly<Record<string, string>> | undefined {
    const { origin } = request.headers;
    if (origin === undefined || !this.isAllowedOrigin(origin)) return undefined;
    return { 'access-control-allow-origin': origin, 'access-control-expose-headers': '*', vary: 'Origin' };
  }

  /** Headers that answer a CORS preflight of an allowed origin. */
  preflightHeaders(request: IncomingMessage): Readonly<Record<string, string>> | undefined {
    const cors = this.corsHeaders(request);
    if (cors === undefined) return undefined;
    const asked = request.headers['access-control-request-headers'] ?? '';
    const configured = this.#rules.allowedHeaders.map((name) => name.toLowerCase());
    const isAllowed = (name: string): boolean =>
      sdkHeader.test(name) || configured.includes('*') || configured.includes(name.toLowerCase());
    const names = asked.split(',').map((name) => name.trim());
    return {
      ...cors,
      'access-control-allow-methods': 'GET, HEAD, POST, OPTIONS',
      'access-control-allow-headers': names.filter((name) => name !== '' && isAllowed(name)).join(', '),
      'access-control-max-age': '600',
      vary: 'Origin, Access-Control-Request-Headers',
    };
  }

  #isLoopbackHost(host: string): boolean {
    if (this.#goodHosts.has(host)) return true;
    if (!loopbackName.test(host)) return false;
    if (this.#goodHosts.size < maxRemembered) this.#goodHosts.add(host);
    return true;
  }
}

/** `https://*.example.com` stands for one or more labels in front; anything else is compared whole. */
function matchesOrigin(allowed: string, origin: string): boolean {
  const star = allowed.indexOf('*.');
  if (star === -1) return allowed.replace(/\/$/, '') === origin;
  const [before, after] = [allowed.slice(0, star), allowed.slice(star + 1)];
  return origin.startsWith(before) && origin.endsWith(after) && origin.length > before.length + after.length;
}
