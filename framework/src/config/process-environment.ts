import type { Environment } from './references.ts';

/** The variables of this process, for who may pass granted ones on. */
export function processEnvironment(): Environment {
  return process.env;
}
