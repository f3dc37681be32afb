import type { ErrorCatalogue } from './error-catalogue.ts';

/** The codes that the error classes of this package carry themselves. */
export const sdkErrorCodes = {
  BF_CONFIG_INVALID: {
    status: 'none',
    cause:
      'The configuration is wrong; each line of the message names the JSON path, what was expected and what was given.',
    remedy:
      'Correct the paths that are named; the program ends with exit code 2 and starts nothing until all are right.',
  },
} as const satisfies ErrorCatalogue;

/** A code of this package's own catalogue. */
export type SdkErrorCode = keyof typeof sdkErrorCodes;
