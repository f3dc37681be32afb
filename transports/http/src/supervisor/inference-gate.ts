import { hashCredential } from '@bifrost/framework/credential-hash';
import type { LoadedConfig } from '@bifrost/framework/config';
import { GatewayError } from '@bifrost/sdk';
import type { ThreadConfig } from './messages.ts';

/** Decides whether callers of inference need a key, and which; the threads only compare hashes. */
export class InferenceGate {
  readonly #isLoopback: boolean;
  readonly #open: (() => Promise<string>) | undefined;
  /** Of the configuration in force: callers of inference need no key. */
  isOpen = true;

  /** `open` gives the SHA-256 of the key in hexadecimal digits, where the configuration names none. */
  constructor(isLoopback: boolean, open: (() => Promise<string>) | undefined) {
    this.#isLoopback = isLoopback;
    this.#open = open;
  }

  /** The part of a thread's configuration that says which key callers need. */
  async settingsFor({ inferenceAccess }: LoadedConfig): Promise<Pick<ThreadConfig, 'inferenceKeyHash'>> {
    const { keyRequired, key } = inferenceAccess;
    if (keyRequired === 'never' || (keyRequired === 'beyond-loopback' && this.#isLoopback)) return {};
    if (key !== undefined) return { inferenceKeyHash: hashCredential(key).toString('hex') };
    if (this.#open !== undefined) return { inferenceKeyHash: await this.#open() };
    const message =
      'inference can be reached from other machines and there is no key for it; give client.inference_key, or set client.enforce_auth_on_inference to false';
    throw new GatewayError(message, { code: 'BF_HTTP_INFERENCE_OPEN', statusCode: 500 });
  }
}
