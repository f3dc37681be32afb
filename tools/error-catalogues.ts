import type { ErrorCatalogue } from '../sdk/src/index.ts';
import { coreErrorCodes } from '../core/src/error-codes.ts';
import { frameworkErrorCodes } from '../framework/src/error-codes.ts';
import { sdkErrorCodes } from '../sdk/src/error-codes.ts';
import { httpErrorCodes } from '../transports/http/src/error-codes.ts';

/** One package and the errors that it makes. */
export interface PackageErrors {
  /** Folder of the package's source, below the repository. */
  readonly folder: string;
  readonly title: string;
  readonly catalogue: ErrorCatalogue;
}

export const errorCatalogues: readonly PackageErrors[] = [
  { folder: 'transports/http/src', title: 'HTTP and start of the program', catalogue: httpErrorCodes },
  { folder: 'core/src', title: 'Engine', catalogue: coreErrorCodes },
  { folder: 'framework/src', title: 'Loading of plugins', catalogue: frameworkErrorCodes },
  { folder: 'sdk/src', title: 'Configuration', catalogue: sdkErrorCodes },
];
