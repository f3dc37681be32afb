/** Errors that cross a package border. One root; a marker instead of `instanceof`, as two copies of this package may be loaded. */
import type { JsonObject } from './json.ts';

const marker = Symbol.for('bifrost.GatewayError');

/** Who caused it, which decides the status and whether another attempt may help. */
export type ErrorOrigin = 'caller' | 'gateway' | 'provider' | 'plugin';

/** An error as plain data: what a plugin sees, what a dialect renders. */
export interface ErrorInfo {
  /** HTTP status towards the client. */
  readonly statusCode: number;
  /** What was given, what was expected, how to fix it. Never a key, a prompt or a stack. */
  readonly message: string;
  /** `BF_AREA_REASON` for errors made here, the provider's own code otherwise. */
  readonly code?: string;
  /** The provider's or dialect's error type, e.g. `rate_limit_error`. */
  readonly type?: string;
  /** The request field at fault. */
  readonly param?: string;
  readonly origin: ErrorOrigin;
  /** The provider that answered, when one did. */
  readonly provider?: string;
  readonly model?: string;
  /** Whether a fallback may be tried: false forbids it, true or absent allows it. */
  readonly allowFallbacks?: boolean;
  /** Seconds to wait before another try, as the provider stated it. */
  readonly retryAfterSeconds?: number;
  /** The provider's own error body, for a caller of the same dialect. */
  readonly upstreamBody?: JsonObject;
}

/** What an error says beside its message. */
export interface GatewayErrorOptions {
  readonly code: string;
  readonly statusCode: number;
  readonly origin?: ErrorOrigin;
  readonly type?: string;
  readonly param?: string;
  /** Whether the same request may be right at another time. @default false */
  readonly isRetryable?: boolean;
  readonly cause?: unknown;
  readonly data?: JsonObject;
  readonly info?: Partial<ErrorInfo>;
}

/** The root of all errors thrown on purpose. */
export class GatewayError extends Error {
  readonly [marker] = true;
  readonly code: string;
  readonly statusCode: number;
  readonly origin: ErrorOrigin;
  readonly isRetryable: boolean;
  readonly data: JsonObject | undefined;
  readonly #info: Partial<ErrorInfo>;

  constructor(message: string, options: GatewayErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.statusCode = options.statusCode;
    this.origin = options.origin ?? 'gateway';
    this.isRetryable = options.isRetryable ?? false;
    this.data = options.data;
    this.#info = {
      ...(options.type === undefined ? {} : { type: options.type }),
      ...(options.param === undefined ? {} : { param: options.param }),
      ...options.info,
    };
  }

  /** The error as plain data. */
  toInfo(): ErrorInfo {
    return {
      statusCode: this.statusCode,
      message: this.message,
      code: this.code,
      origin: this.origin,
      ...this.#info,
    };
  }

  /** True for any copy's GatewayError. */
  static isInstance(value: unknown): value is GatewayError {
    return typeof value === 'object' && value !== null && marker in value;
  }
}

/** The caller's request cannot be served as it stands: 4xx. */
export class InvalidRequestError extends GatewayError {
  constructor(
    message: string,
    options: Omit<GatewayErrorOptions, 'statusCode' | 'origin'> & { readonly statusCode?: number },
  ) {
    super(message, { statusCode: 400, type: 'invalid_request_error', ...options, origin: 'caller' });
  }
}

/** The configuration is wrong; `path` is where (JSON path such as `providers.openai.keys[0].weight`). */
export class ConfigError extends GatewayError {
  readonly path: string;
  constructor(path: string, message: string, options: { readonly cause?: unknown } = {}) {
    super(`${path}: ${message}`, { code: 'BF_CONFIG_INVALID', statusCode: 500, ...options });
    this.path = path;
  }
}

/** A plugin could not be loaded or broke its contract. */
export class PluginError extends GatewayError {
  readonly plugin: string;
  constructor(plugin: string, message: string, options: { readonly code: string; readonly cause?: unknown }) {
    super(`plugin ${plugin}: ${message}`, { statusCode: 500, ...options, origin: 'plugin' });
    this.plugin = plugin;
  }
}
