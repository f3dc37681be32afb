import { isJsonObject } from '@bifrost/sdk';
import { memberValue } from '../json/peek.ts';
import type { TopLevel } from '../json/peek.ts';
import { appendMember, removeMembers, replaceMember, spliceBody } from '../json/splice.ts';
import type { Edit } from '../json/splice.ts';
import { fallbacksField, modelField, streamOptionsField } from './peeked-fields.ts';
import type { RequestRun } from './run.ts';

/** Up to here one buffer is cheaper to send than several. */
const maxJoinedBytes = 128 * 1024;

export interface SplicedRequest {
  readonly body: Buffer | readonly Buffer[];
  readonly isChanged: boolean;
  /** The usage chunk was asked for on the gateway's behalf: the client must not see it. */
  readonly isUsageAdded: boolean;
}

/**
 * The client's bytes for a provider of its own dialect: the model is rewritten where it differs, `fallbacks` is removed, and a
 * chat stream asks for usage. Every other byte stays.
 */
export function spliceRequest(run: RequestRun, wireModel: string, wantsUsage: boolean): SplicedRequest {
  const { body } = run;
  const top = run.top as TopLevel;
  const edits: Edit[] = [];
  if (run.request.route.pathModel === undefined) {
    if (wireModel !== run.bodyModel) replaceMember(edits, top.members[modelField], JSON.stringify(wireModel));
  } else if (run.request.route.operation === 'embeddings') {
    replaceMember(edits, top.members[modelField], JSON.stringify(`models/${wireModel}`));
  }
  const fallbacks = top.members[fallbacksField];
  if (fallbacks !== undefined) removeMembers(edits, fallbacks);
  const isUsageAdded = wantsUsage && run.isStream && addUsageOption(edits, body, top);
  if (edits.length === 0) return { body, isChanged: false, isUsageAdded };
  const parts = spliceBody(body, edits);
  return { body: body.length <= maxJoinedBytes ? Buffer.concat(parts) : parts, isChanged: true, isUsageAdded };
}

/** Sets `stream_options.include_usage`; false when the client had set it. */
function addUsageOption(edits: Edit[], body: Buffer, top: TopLevel): boolean {
  const found = top.members[streamOptionsField];
  if (found === undefined) {
    appendMember(edits, top, '"stream_options":{"include_usage":true}');
    return true;
  }
  const options = memberValue(body, found);
  if (isJsonObject(options)) {
    if (options['include_usage'] === true) return false;
    replaceMember(edits, found, JSON.stringify({ ...options, include_usage: true }));
    return true;
  }
  if (options !== null) return false;
  replaceMember(edits, found, '{"include_usage":true}');
  return true;
}
