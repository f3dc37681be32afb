/**
 * Parts of an answer of another dialect that a Gemini client gets otherwise or not at all. Foreign fields, usage and finish
 * reasons are reported for all dialects alike in `../answer-losses.ts`.
 */
import type { Candidate, Part } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { dialect } from './form.ts';

/** A candidate fit for a Gemini client; what it cannot be told is reported. */
export function adaptForeignAnswer(candidate: Candidate, report: LossReport): Candidate {
  const path = `candidates[${candidate.index}]`;
  const parts = candidate.parts.flatMap((part, index) => adaptPart(part, `${path}.parts[${index}]`, report));
  return { ...candidate, parts };
}

function adaptPart(part: Part, path: string, report: LossReport): readonly Part[] {
  if (part.type === 'server-tool' || part.type === 'opaque') {
    if (part.dialect === dialect) return [part];
    const name = part.type === 'server-tool' ? part.name : 'an opaque part';
    report.add({ action: 'dropped', field: path, reason: `${name} has no form in Gemini` });
    return [];
  }
  switch (part.type) {
    case 'refusal':
      report.add({ action: 'changed', field: path, reason: 'a refusal is sent as text' });
      break;
    case 'reasoning':
      if (part.encrypted !== undefined && part.signature !== undefined) {
        report.add({ action: 'dropped', field: `${path}.signature`, reason: 'one opaque value fits in a thought' });
      } else if (part.origin === undefined && (part.signature ?? part.encrypted) !== undefined) {
        report.add({ action: 'dropped', field: `${path}.signature`, reason: 'its maker is not known' });
      }
      break;
    case 'tool-call':
      if (part.isFreeform === true) {
        report.add({ action: 'changed', field: `${path}.arguments`, reason: 'free text stands under the key "input"' });
      }
      break;
    default:
  }
  return [part];
}
