/** The body of `POST /api/plugins/NAME/canary`. */
import { GatewayError } from '@bifrost/sdk';
import type { JsonObject } from '@bifrost/sdk';
import type { CandidateTrial } from '@bifrost/framework/plugin-manager';

/** What the candidate has of its own; all else is as the plugin's entry has it. */
const ownMembers: ReadonlySet<string> = new Set(['path', 'config', 'sha256', 'integrity', 'isolation']);

export interface TrialRequest {
  /** Changes to the plugin's entry. */
  readonly patch: JsonObject;
  readonly trial: CandidateTrial;
}

function invalid(message: string): GatewayError {
  return new GatewayError(message, { code: 'BF_ADMIN_INVALID', statusCode: 400 });
}

/** Throws GatewayError 400. A canary gets a tenth of the requests unless told otherwise, a shadow sees all. */
export function parseTrialRequest(body: JsonObject): TrialRequest {
  const { mode: kind = 'canary', share = kind === 'shadow' ? 1 : 0.1, ...patch } = body;
  if (kind !== 'canary' && kind !== 'shadow') {
    throw invalid(`mode: expected "canary" or "shadow", got ${JSON.stringify(kind)}`);
  }
  if (typeof share !== 'number' || !(share >= 0 && share <= 1)) {
    throw invalid(`share: expected a number from 0 to 1 (0.3 is 30 % of the requests), got ${JSON.stringify(share)}`);
  }
  const unknown = Object.keys(patch).find((key) => !ownMembers.has(key));
  if (unknown !== undefined) {
    throw invalid(`"${unknown}" is not known here: a candidate may have ${[...ownMembers].join(', ')}, share and mode`);
  }
  // The digest is of the artefact that is replaced.
  const isOther = patch['path'] !== undefined;
  const digests = isOther ? { sha256: null, integrity: null } : {};
  return { patch: { ...digests, ...patch }, trial: { kind, share } };
}
