/** Edits (insert, delete, replace, swap of neighbours) between two words; stops counting beyond `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      let best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (isSame ? 0 : 1),
      );
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwap) best = Math.min(best, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? limit + 1;
}

/** Case and the separators `-`, `_` and none are the commonest slips: they do not count as edits. */
function fold(word: string): string {
  return word.toLowerCase().replaceAll(/[-_]/g, '');
}

/** The known word that a misspelt one was most likely meant to be; undefined when none is near enough. */
export function nearestWord(given: string, known: Iterable<string>): string | undefined {
  const folded = fold(given);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(folded.length / 3)) + 1;
  for (const word of known) {
    const distance = editDistance(folded, fold(word), bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [word, distance];
  }
  return best;
}

/** `; did you mean "word"?`, or nothing when no known word is near: to be appended to a message. */
export function didYouMean(given: string, known: Iterable<string>): string {
  const word = nearestWord(given, known);
  return word === undefined ? '' : `; did you mean "${word}"?`;
}
