/**
 * What the contract suite asks of a plugin in every cell of artefact and isolation: the same requests, the same answers. The requests
 * go to `mock/...`, whose provider says `You said: ` and the last message. The plugin of the suite: fixtures/contract-plugin.js.
 */
import type { HookName } from '@bifrost/sdk';

/** A request, and what must come of it. `STAMP` stands for the stamp that the plugin is configured with. */
export interface ContractCase {
  readonly name: string;
  /** The hooks that it shows to work. */
  readonly hooks: readonly HookName[];
  readonly isStream?: boolean;
  /** Sent as `x-contract`, which tells the plugin what to do. */
  readonly deed?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the plugin's way to the gateway must know for it. */
  readonly needs?: 'values';
  readonly status: number;
  readonly answerHeaders?: Readonly<Record<string, string>>;
  readonly includes?: readonly string[];
  readonly excludes?: readonly string[];
  /** The hook whose call is to be counted as failed, once or more. */
  readonly failed?: HookName;
  /** What the gateway logs. */
  readonly logged?: string;
}

const said = 'one two three four';

/** The message of every request. */
export const contractMessage = said;

function failing(hook: string, failed: HookName, rest: Partial<ContractCase> = {}): ContractCase {
  const name = `a failure of ${failed} keeps the value before it`;
  return { name, hooks: [failed], deed: `fail-${hook}`, status: 200, failed, includes: ['You said'], ...rest };
}

/** The suite. */
export const contractCases: readonly ContractCase[] = [
  {
    name: 'the head of an answer gets its headers, from config and state of earlier hooks',
    hooks: ['httpTransportResponseHeadersHook', 'httpTransportPreHook', 'inject'],
    deed: 'nothing',
    status: 200,
    answerHeaders: { 'x-stamp': 'STAMP', 'x-state': 'nothing' },
    includes: [`You said: ${said}`],
    logged: 'contract: nothing ended with 200',
  },
  {
    name: 'a value that one hook sets is read by another',
    hooks: ['httpTransportPreHook', 'httpTransportResponseHeadersHook'],
    deed: 'nothing',
    needs: 'values',
    status: 200,
    answerHeaders: { 'x-value': 'nothing' },
  },
  {
    name: 'state is of one request: the next one has none',
    hooks: ['httpTransportResponseHeadersHook'],
    status: 200,
    answerHeaders: { 'x-stamp': 'STAMP', 'x-state': 'none' },
  },
  {
    name: 'events of a stream are changed one by one',
    hooks: ['streamEventHook'],
    isStream: true,
    status: 200,
    answerHeaders: { 'x-stamp': 'STAMP' },
    includes: ['[STAMP]', 'data: [DONE]'],
    excludes: ['three'],
  },
  {
    name: 'chunks of a stream are changed as they leave',
    hooks: ['httpTransportStreamChunkHook'],
    isStream: true,
    deed: 'chunk',
    status: 200,
    includes: ['data: {"contract":"STAMP",', 'data: [DONE]'],
  },
  {
    name: 'headers are changed before authentication, and seen behind it',
    hooks: ['httpTransportPreAuthHook', 'httpTransportPreHook'],
    headers: { 'x-alias': 'answer' },
    status: 201,
    includes: ['early STAMP'],
  },
  {
    name: 'an answer by the plugin is the answer, and its later hooks run',
    hooks: ['httpTransportPreHook', 'httpTransportResponseHeadersHook'],
    deed: 'answer',
    status: 201,
    answerHeaders: { 'x-early': 'yes', 'x-stamp': 'STAMP', 'x-state': 'answer' },
    includes: ['early STAMP'],
    excludes: ['You said'],
  },
  {
    name: 'a request is routed to another model',
    hooks: ['preRequestHook'],
    deed: 'route',
    status: 200,
    includes: ['routed-STAMP', 'You said'],
  },
  {
    name: 'a request is denied with the status and code of the plugin',
    hooks: ['preLLMHook'],
    deed: 'deny',
    status: 403,
    includes: ['denied as asked', 'contract_denied'],
    excludes: ['You said'],
    logged: 'contract: deny ended with 403',
  },
  {
    name: 'a stream is denied before it begins',
    hooks: ['preLLMHook'],
    deed: 'deny',
    isStream: true,
    status: 403,
    includes: ['denied as asked'],
  },
  {
    name: 'the conversation that the provider gets is the changed one',
    hooks: ['preLLMHook'],
    deed: 'change',
    status: 200,
    includes: ['You said: changed by STAMP'],
    excludes: [said],
  },
  {
    name: 'an answer is invalidated',
    hooks: ['postLLMHook'],
    deed: 'invalidate',
    status: 451,
    includes: ['invalidated as asked'],
    excludes: ['You said'],
  },
  {
    name: 'the body of a whole answer is replaced',
    hooks: ['httpTransportPostHook'],
    deed: 'body',
    status: 200,
    includes: ['replaced by STAMP'],
    excludes: ['You said'],
  },
  failing('pre', 'httpTransportPreHook'),
  failing('route', 'preRequestHook'),
  failing('llm', 'preLLMHook'),
  failing('answer', 'postLLMHook'),
  failing('head', 'httpTransportResponseHeadersHook', { excludes: ['x-stamp'] }),
  failing('post', 'httpTransportPostHook'),
  failing('event', 'streamEventHook', { isStream: true, includes: ['three', 'data: [DONE]'], excludes: ['[STAMP]'] }),
  failing('chunk', 'httpTransportStreamChunkHook', { isStream: true, includes: ['[STAMP]', 'data: [DONE]'] }),
];

/** What came of a request. */
export interface ContractAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** What is not as it must be; empty where all is. */
export function judgeContractAnswer(one: ContractCase, answer: ContractAnswer, stamp: string): readonly string[] {
  const filled = (text: string): string => text.replaceAll('STAMP', stamp);
  const faults: string[] = [];
  if (answer.status !== one.status) faults.push(`status ${answer.status} instead of ${one.status}: ${answer.text}`);
  for (const [name, value] of Object.entries(one.answerHeaders ?? {})) {
    const found = answer.headers.get(name);
    if (found !== filled(value)) faults.push(`header ${name}: ${found ?? 'none'} instead of ${filled(value)}`);
  }
  for (const text of one.includes ?? [])
    if (!answer.text.includes(filled(text))) faults.push(`no "${filled(text)}" in: ${answer.text}`);
  for (const text of one.excludes ?? [])
    if (answer.text.includes(filled(text))) faults.push(`"${filled(text)}" in: ${answer.text}`);
  return faults;
}
