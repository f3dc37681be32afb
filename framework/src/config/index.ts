export type { ConfigNote, LoadedConfig } from './loaded-config.ts';
export type { ConfigProblem } from './problem.ts';
export type { Environment } from './references.ts';
export type { LoadConfigOptions, ProviderCatalogue } from './load-config.ts';
export { loadConfig } from './load-config.ts';
export { ConfigProblemsError } from './problem.ts';
export { toConfigJsonSchema } from './file-schema.ts';
export { didYouMean, nearestWord } from './suggestion.ts';
