import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What of these is still there once the garbage has been collected: asked again for a while, as some is let go only a few turns later. */
export async function survivors<Value extends object>(
  references: readonly WeakRef<Value>[],
  expected: number,
): Promise<number> {
  for (let tries = 0; ; tries += 1) {
    // A reference that was looked at holds its object until the turn ends.
    await new Promise((resolve) => setTimeout(resolve, 10));
    collect();
    const count = references.filter((reference) => reference.deref() !== undefined).length;
    if (count <= expected || tries === 50) return count;
  }
}
