/** The cells of artefact and isolation, with what an entry of the contract's plugin needs in each. */
import { buildContractPlugin, contractLanguages } from '@bifrost/testkit/contract';
import type { ContractLanguage } from '@bifrost/testkit/contract';

export interface PluginCell {
  readonly language: ContractLanguage;
  readonly isolation: 'inline' | 'worker' | 'process' | 'grpc';
}

const isolations = ['inline', 'worker', 'process'] as const;

/** All that are loaded in the running program; Go's libraries, which never unload, have tests of their own. */
export const pluginCells: readonly PluginCell[] = contractLanguages.flatMap((language): readonly PluginCell[] =>
  language.startsWith('grpc')
    ? [{ language, isolation: 'grpc' }]
    : isolations.map((isolation) => ({ language, isolation })),
);

/** `module-inline`: how a cell is named where it needs one word. */
export const cellName = ({ language, isolation }: PluginCell): string => `${language}-${isolation}`;

/** The entry of the contract's plugin in a cell, without its configuration. Builds it. */
export function cellEntry(cell: PluginCell): { readonly name: string } & Readonly<Record<string, unknown>> {
  const isNative = cell.language.startsWith('n');
  return {
    name: cellName(cell),
    path: buildContractPlugin(cell.language),
    isolation: cell.isolation,
    breaker: false,
    probation_seconds: 0,
    ...(isNative ? { capabilities: { native: true } } : {}),
  };
}
