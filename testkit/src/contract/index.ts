export type { ContractLanguage } from './build-contract-plugin.ts';
export { buildContractPlugin, contractLanguages, missingContractTool } from './build-contract-plugin.ts';
export type { ContractAnswer, ContractCase } from './contract-cases.ts';
export { contractCases, contractMessage, judgeContractAnswer } from './contract-cases.ts';
export type { ReloadFault, ReloadOptions, ReloadReport } from './reload-under-load.ts';
export { reloadUnderLoad } from './reload-under-load.ts';
