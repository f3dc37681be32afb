/** What a Gemini model can do, read from its name: the wire has no other place for it. */

/** How a model is told to think: by level (Gemini 3 and newer), by budget (2.5), or not at all (older). */
export interface ThinkingSupport {
  readonly by: 'level' | 'budget' | 'none';
  /** Thinking cannot be turned off. */
  readonly isAlwaysOn: boolean;
  /** `thinkingLevel` MINIMAL is taken. */
  readonly hasMinimal: boolean;
  /** `thinkingLevel` MEDIUM is taken. */
  readonly hasMedium: boolean;
  readonly minBudgetTokens: number;
  readonly maxBudgetTokens: number;
}

const version = /gemini-(\d+)(?:\.(\d+))?/;
/** Names without a version, such as `gemini-flash-latest`, move on with time and mean a current model. */
const unversioned = /gemini-(?!\d|embedding|exp-)/;

/** The major and minor version in a model's name, e.g. `models/gemini-2.5-flash` -> 2.5; undefined when it is no Gemini model. */
export function geminiVersion(model: string): number | undefined {
  const found = version.exec(model);
  if (found !== null) return Number(found[1]) + Number(found[2] ?? 0) / 10;
  return unversioned.test(model) ? 3 : undefined;
}

/** Gemini 3 or newer: checks thought signatures, thinks by level, takes media in function responses. */
export function isGemini3OrNewer(model: string): boolean {
  return (geminiVersion(model) ?? 0) >= 3;
}

/**
 * Which thinking settings a model takes. Levels and budgets: https://ai.google.dev/gemini-api/docs/thinking (3 Pro: low and
 * high; 3.1 Pro: medium too; Flash: all four; budgets 2.5 Pro 128-32768, Flash 0-24576, Flash-Lite 512-24576 and 0). "Reasoning cannot be
 * turned off for Gemini 2.5 Pro or 3 models" (https://ai.google.dev/gemini-api/docs/openai#thinking).
 */
export function thinkingSupportOf(model: string): ThinkingSupport {
  const number = geminiVersion(model);
  const isPro = model.includes('pro');
  if (number !== undefined && number >= 3) {
    return {
      by: 'level',
      isAlwaysOn: true,
      hasMinimal: !isPro,
      hasMedium: !isPro || number > 3,
      minBudgetTokens: 128,
      maxBudgetTokens: 32_768,
    };
  }
  const isLite = model.includes('lite');
  return {
    by: number !== undefined && number >= 2.5 ? 'budget' : 'none',
    isAlwaysOn: isPro,
    hasMinimal: false,
    hasMedium: false,
    minBudgetTokens: isPro ? 128 : isLite ? 512 : 1,
    maxBudgetTokens: isPro ? 32_768 : 24_576,
  };
}
