import { join } from 'node:path';
import { generateSdkTypes } from '../cli/src/sdk-types.ts';
import { formatErrorsReference } from './errors-reference.ts';
import { formatHooksReference } from './hooks-reference.ts';
import { formatProvidersReference } from './providers-reference.ts';
import { formatRoutesReference } from './routes-reference.ts';

const tsc = join(import.meta.dirname, '../node_modules/typescript/bin/tsc');

/** Generated files: path below the repository -> what makes them. */
export const references: ReadonlyMap<string, () => string> = new Map([
  ['docs/plugins/hooks.md', formatHooksReference],
  ['docs/reference/errors.md', formatErrorsReference],
  ['docs/reference/providers.md', formatProvidersReference],
  ['docs/reference/routes.md', formatRoutesReference],
  ['cli/templates/typescript/bifrost-sdk.d.ts', () => generateSdkTypes(tsc)],
]);
