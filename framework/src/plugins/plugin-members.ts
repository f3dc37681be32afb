/** The names that a plugin's exports may have, and what is said to others. */
import { hookNames } from '@bifrost/sdk';
import { nearestWord } from '../config/suggestion.ts';

const baseMembers = [
  'name',
  'version',
  'apiVersion',
  'guard',
  'configSchema',
  'init',
  'cleanup',
  'marshalConfigForStorage',
  'redactConfig',
];
/** All that a plugin may have. */
export const knownMembers = [...baseMembers, ...hookNames];

/** What the names of older and other versions are called here. */
const renamed: Readonly<Record<string, string>> = {
  prehook: 'preLLMHook',
  posthook: 'postLLMHook',
  httptransportmiddleware: 'httpTransportPreHook',
  httptransportintercept: 'httpTransportPreHook',
  transportinterceptor: 'httpTransportPreHook',
  getname: 'name',
  destroy: 'cleanup',
  shutdown: 'cleanup',
};

function newName(member: string): string | undefined {
  const older = member.toLowerCase();
  return Object.hasOwn(renamed, older) ? renamed[older] : undefined;
}

/** A sentence about the members that `known` does not have; undefined where it has all. */
export function unknownMembers(members: readonly string[], known: readonly string[]): string | undefined {
  const unknown = members.filter((member) => !known.includes(member));
  if (unknown.length === 0) return undefined;
  const meant = unknown.map((member) => newName(member) ?? nearestWord(member, known));
  const sentences = unknown.map((member, index) => {
    const near = meant[index];
    return `unknown member "${member}"${near === undefined ? '' : `: did you mean ${near}?`}`;
  });
  return [...sentences, ...(meant.includes(undefined) ? [`known are ${known.join(', ')}`] : [])].join('; ');
}

/** True for an export that was surely meant to be a hook. */
export function looksLikeMember(exported: string): boolean {
  if (newName(exported) !== undefined) return true;
  return (
    /hook$/i.test(exported) ||
    nearestWord(exported, [...hookNames, 'init', 'cleanup', 'configSchema', 'apiVersion']) !== undefined
  );
}
