import type { Candidate, ConversationResponse, FinishReasonKind, Usage } from '@bifrost/sdk';
import { totalInputTokens, totalOutputTokens } from '@bifrost/sdk';
import { compareProjections } from './compare-projection.ts';
import type { Difference } from './loss-cover.ts';
import { projectCandidate } from './projection.ts';

const finishWords = /finish_?reason|stop_?reason|status|incomplete|refusal/i;

/** Dialects differ in whether a refusal is also a finish reason. */
function finishKind({ finishReason, parts }: Candidate): FinishReasonKind | undefined {
  const isRefusal = finishReason?.kind === 'stop' && parts.some((part) => part.type === 'refusal');
  return isRefusal ? 'refusal' : finishReason?.kind;
}

const bucketWords = {
  inputTokens: /usage|tokens$/i,
  cacheReadTokens: /cache/i,
  cacheWriteTokens: /cache_?(creation|write)/i,
  cacheWrite1hTokens: /cache_?(creation|write)|ephemeral_1h/i,
  outputTokens: /usage|tokens$/i,
  reasoningTokens: /(reasoning|thought|thinking)/i,
  inputAudioTokens: /audio/i,
  outputAudioTokens: /audio/i,
  inputImageTokens: /image/i,
  outputImageTokens: /image/i,
  toolUseInputTokens: /tool/i,
} as const satisfies Partial<Record<keyof Usage, RegExp>>;

function compareUsage(before: Usage | undefined, after: Usage | undefined): readonly Difference[] {
  if (before === undefined) return [];
  const found: Difference[] = [];
  const sums = [
    ['input tokens', totalInputTokens(before), totalInputTokens(after ?? {})],
    ['output tokens', totalOutputTokens(before), totalOutputTokens(after ?? {})],
  ] as const;
  for (const [name, left, right] of sums) {
    if (left !== undefined && left !== right)
      found.push({ what: `all ${name}: ${left} -> ${right}`, words: /usage|tokens$/i });
  }
  for (const bucket of Object.keys(bucketWords) as (keyof typeof bucketWords)[]) {
    const [left, right] = [before[bucket], after?.[bucket]];
    // A bucket that the target's dialect does not show while it is empty says the same.
    if (left === undefined || left === right || (left === 0 && right === undefined)) continue;
    found.push({ what: `usage, ${bucket}: ${left} -> ${right}`, words: bucketWords[bucket] });
  }
  return found;
}

function compareCandidates(before: Candidate, after: Candidate): readonly Difference[] {
  const found = [...compareProjections(projectCandidate(before), projectCandidate(after))];
  const [left, right] = [before.finishReason, after.finishReason];
  if (left !== undefined && finishKind(before) !== finishKind(after)) {
    found.push({
      what: `finish reason: ${left.kind} (${left.raw}) -> ${right?.kind} (${right?.raw})`,
      words: finishWords,
    });
  }
  if (left?.stopSequence !== undefined && left.stopSequence !== right?.stopSequence) {
    found.push({ what: `stop sequence: ${left.stopSequence} -> ${right?.stopSequence}`, words: /stop/i });
  }
  return found;
}

/** Everything of an answer that has to survive a translation and did not. */
export function compareResponses(before: ConversationResponse, after: ConversationResponse): readonly Difference[] {
  const found: Difference[] = before.candidates.flatMap((candidate) => {
    const same = after.candidates.find((one) => one.index === candidate.index);
    if (same !== undefined) return compareCandidates(candidate, same);
    if (candidate.parts.length === 0 && candidate.finishReason === undefined) return [];
    return [
      { what: `candidate ${candidate.index} is gone`, words: /candidates?\b|choices?\b/i, places: [[candidate.index]] },
    ];
  });
  if (after.candidates.length > before.candidates.length && before.candidates.length > 0) {
    found.push({
      what: `${after.candidates.length} candidates instead of ${before.candidates.length}`,
      words: /candidates|choices/i,
    });
  }
  if (before.model !== undefined && before.model !== after.model) {
    found.push({ what: `model: ${before.model} -> ${after.model}`, words: /model/i });
  }
  return [...found, ...compareUsage(before.usage, after.usage)];
}
