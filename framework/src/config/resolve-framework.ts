import { resolve } from 'node:path';
import type { ModelInfo } from '@bifrost/sdk';
import { z } from 'zod';
import type { ConfigNote } from './loaded-config.ts';
import { readModelCatalogue } from './model-catalogue.ts';
import type { ConfigProblem } from './problem.ts';

/** `framework` of config.json, of which one key is used. */
export const frameworkSchema = z.looseObject({
  pricing: z.looseObject({ pricing_url: z.string().min(1).optional() }).optional(),
});

export interface FrameworkResult {
  readonly models: readonly ModelInfo[];
  /** Paths of keys that have no effect. */
  readonly unused: readonly string[];
  readonly notes: readonly ConfigNote[];
  readonly problems: readonly ConfigProblem[];
}

const pricingPath = 'framework.pricing.pricing_url';

/** What is known of models: read from the file that `pricing_url` names. `directory` is where relative paths start. */
export function resolveFramework(
  file: z.output<typeof frameworkSchema> = {},
  { directory, providers }: { readonly directory: string; readonly providers: ReadonlySet<string> },
): FrameworkResult {
  const { pricing = {}, ...others } = file;
  const { pricing_url: sheet, ...otherPricing } = pricing;
  const unused = [
    ...Object.keys(others).map((key) => `framework.${key}`),
    ...Object.keys(otherPricing).map((key) => `framework.pricing.${key}`),
  ];
  const nothing = { models: [], notes: [], problems: [] };
  if (sheet === undefined) return { ...nothing, unused };
  if (/^https?:/.test(sheet)) return { ...nothing, unused: [...unused, `${pricingPath} (a URL: give a file)`] };
  const read = readModelCatalogue(sheet.startsWith('file:') ? sheet : resolve(directory, sheet), providers);
  if ('problem' in read) return { ...nothing, unused, problems: [{ path: pricingPath, message: read.problem }] };
  const count = read.models.length;
  const message = `${pricingPath}: ${count} models of the configured providers are known`;
  return { models: read.models, unused, notes: [{ level: count === 0 ? 'warn' : 'info', message }], problems: [] };
}
