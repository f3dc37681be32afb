import type { Environment } from '@bifrost/framework/config';
import type { Logger } from '../logging/logger.ts';

export interface ProgramInferenceKeyOptions {
  readonly environment: Environment;
  readonly appDirectory: string;
  readonly logger: Logger;
}

/** The inference key of the program: made, or looked for, only where callers have to present it. */
export class ProgramInferenceKey {
  readonly #options: ProgramInferenceKeyOptions;
  /** The key, where it was made at this start. */
  newKey: string | undefined;
  #hash: string | undefined;

  constructor(options: ProgramInferenceKeyOptions) {
    this.#options = options;
  }

  /** SHA-256 of the key; throws GatewayError where the credential is wrong. */
  async open(): Promise<string> {
    if (this.#hash !== undefined) return this.#hash;
    const { inferenceKey, openStoredCredential } = await import('@bifrost/framework/admin');
    const { environment, appDirectory, logger } = this.#options;
    const given = environment[inferenceKey.variable];
    const credential = openStoredCredential(inferenceKey, { directory: appDirectory, given });
    if (credential.warning !== undefined) logger.warn(credential.warning);
    this.newKey = credential.newValue;
    this.#hash = credential.hash;
    return credential.hash;
  }
}
