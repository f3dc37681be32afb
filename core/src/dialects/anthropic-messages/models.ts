/**
 * What Claude models of a generation can do, read from the name. Names of other makers (Anthropic-compatible endpoints) give
 * undefined and are treated like the first thinking generation, the widest understood form.
 * Source: https://platform.claude.com/docs/en/build-with-claude/extended-thinking, .../adaptive-thinking, .../structured-outputs.
 */

const newOrder = /claude-(?:opus|sonnet|haiku|fable|mythos)-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/;
const oldOrder = /claude-(\d)(?:[-.](\d{1,2}))?(?=-|$)/;

/** 4.6 for `claude-opus-4-6`, 3.7 for `claude-3-7-sonnet-20250219`; undefined for other names. */
export function claudeVersion(model: string): number | undefined {
  const match = newOrder.exec(model) ?? oldOrder.exec(model);
  if (match === null) return /claude-(?:fable|mythos)/.test(model) ? 5 : undefined;
  return Number(match[1]) + Number(match[2] ?? 0) / 10;
}

/** True where thinking is asked for as `adaptive` with an effort (from 4.6 on) and not as a budget. */
export function hasAdaptiveThinking(model: string): boolean {
  return (claudeVersion(model) ?? 0) >= 4.6;
}

/** True where a thinking budget is still accepted (up to 4.6; later models refuse `enabled`). */
export function hasThinkingBudget(model: string): boolean {
  return (claudeVersion(model) ?? 0) < 4.7;
}

/**
 * True where thinking cannot be turned off: `disabled` is answered 400. Sources: Fable and Mythos,
 * https://platform.claude.com/docs/en/models/fable-5/migration-guide (2026-12); from Opus 5.5 on, the release notes of Bifrost 2.2.2.
 */
export function isAlwaysThinking(model: string): boolean {
  return /claude-(?:fable|mythos)/.test(model) || (claudeVersion(model) ?? 0) >= 5.5;
}

/** True where `strict` tools and JSON schemas work (from 4.5 on); unknown models get the benefit of the doubt. */
export function hasStructuredOutputs(model: string): boolean {
  return (claudeVersion(model) ?? 9) >= 4.5;
}
