import { isJsonObject } from '@bifrost/sdk';
import type { TopLevel } from '../json/peek.ts';
import { appendMember, removeMembers, replaceMember, spliceBody, spliceRanges } from '../json/splice.ts';
import type { Edit } from '../json/splice.ts';
import { StoredRequestBody } from '../upstream/request-body.ts';
import type { RequestBody } from '../upstream/request-body.ts';
import { fallbacksField, fieldOf, modelField, streamOptionsField } from './peeked-fields.ts';
import type { RequestRun } from './run.ts';

/** Up to here one buffer is cheaper to send than several. */
const maxJoinedBytes = 128 * 1024;

export interface SplicedRequest {
  readonly body: RequestBody;
  readonly isChanged: boolean;
  /** The usage chunk was asked for on the gateway's behalf: the client must not see it. */
  readonly isUsageAdded: boolean;
}

/**
 * The client's bytes for a provider of its own dialect: the model is rewritten where it differs, `fallbacks` is removed, and a
 * chat stream asks for usage. Every other byte stays.
 */
export function spliceRequest(run: RequestRun, wireModel: string, wantsUsage: boolean): SplicedRequest {
  const top = run.top as TopLevel;
  const edits: Edit[] = [];
  if (run.request.route.pathModel === undefined) {
    if (wireModel !== run.bodyModel) replaceMember(edits, top.members[modelField], JSON.stringify(wireModel));
  } else if (run.request.route.operation === 'embeddings') {
    replaceMember(edits, top.members[modelField], JSON.stringify(`models/${wireModel}`));
  }
  const fallbacks = top.members[fallbacksField];
  if (fallbacks !== undefined) removeMembers(edits, fallbacks);
  const isUsageAdded = wantsUsage && run.isStream && addUsageOption(run, top, edits);
  const isChanged = edits.length > 0;
  if (run.stored !== null) {
    const body = new StoredRequestBody(run.stored, spliceRanges(run.stored.length, edits));
    return { body, isChanged, isUsageAdded };
  }
  const { body } = run;
  if (!isChanged) return { body, isChanged, isUsageAdded };
  const parts = spliceBody(body, edits);
  return { body: body.length <= maxJoinedBytes ? Buffer.concat(parts) : parts, isChanged, isUsageAdded };
}

/** Sets `stream_options.include_usage`; false when the client had set it. */
function addUsageOption(run: RequestRun, top: TopLevel, edits: Edit[]): boolean {
  const found = top.members[streamOptionsField];
  if (found === undefined) {
    appendMember(edits, top, '"stream_options":{"include_usage":true}');
    return true;
  }
  const options = fieldOf(run, top, streamOptionsField);
  if (isJsonObject(options)) {
    if (options['include_usage'] === true) return false;
    replaceMember(edits, found, JSON.stringify({ ...options, include_usage: true }));
    return true;
  }
  if (options !== null) return false;
  replaceMember(edits, found, '{"include_usage":true}');
  return true;
}
