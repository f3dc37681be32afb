import type { Candidate, Part } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { dialect } from './form.ts';

/** An answer of another dialect's provider, fit for a Gemini client: what it cannot be told is reported as dropped. */
export function adaptForeignAnswer(candidate: Candidate, report: LossReport): Candidate {
  const path = `candidates[${candidate.index}]`;
  const parts = candidate.parts.flatMap((part, index) => adaptPart(part, `${path}.parts[${index}]`, report));
  return { ...candidate, parts };
}

function adaptPart(part: Part, path: string, report: LossReport): readonly Part[] {
  switch (part.type) {
    case 'server-tool':
    case 'opaque': {
      if (part.dialect === dialect) return [part];
      const name = part.type === 'server-tool' ? part.name : 'this part';
      report.add({ action: 'dropped', field: path, reason: `${name} has no form in Gemini` });
      return [];
    }
    case 'refusal':
      report.add({ action: 'changed', field: path, reason: 'a refusal is sent as text' });
      return [part];
    case 'reasoning':
      if (part.encrypted !== undefined && part.signature !== undefined) {
        report.add({ action: 'dropped', field: `${path}.signature`, reason: 'one opaque value fits in a thought' });
      }
      if (part.origin === undefined && (part.signature ?? part.encrypted) !== undefined) {
        report.add({ action: 'dropped', field: `${path}.signature`, reason: 'its maker is not known' });
      }
      return [part];
    default:
      return [part];
  }
}
