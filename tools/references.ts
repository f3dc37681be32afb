import { formatErrorsReference } from './errors-reference.ts';
import { formatProvidersReference } from './providers-reference.ts';
import { formatRoutesReference } from './routes-reference.ts';

/** Generated pages: path below the repository -> what makes them. */
export const references: ReadonlyMap<string, () => string> = new Map([
  ['docs/reference/errors.md', formatErrorsReference],
  ['docs/reference/providers.md', formatProvidersReference],
  ['docs/reference/routes.md', formatRoutesReference],
]);
