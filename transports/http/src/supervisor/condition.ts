/** Waits for what threads bring about: asked again after every event of one. */
export class Condition {
  readonly #checks = new Set<() => void>();

  /** Something has happened. */
  changed(): void {
    for (const check of this.#checks) check();
  }

  /** Rejects with what `isDone` throws. */
  until(isDone: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        try {
          if (!isDone()) return;
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
        this.#checks.delete(check);
      };
      this.#checks.add(check);
      check();
    });
  }

  /** As `until`; `onLate` makes the error where `withinMs` have passed. */
  async untilWithin(withinMs: number, isDone: () => boolean, onLate: () => Error): Promise<void> {
    const endsAt = performance.now() + withinMs;
    const deadline = setTimeout(() => this.changed(), withinMs + 1);
    await this.until(() => {
      if (isDone()) return true;
      if (performance.now() <= endsAt) return false;
      throw onLate();
    }).finally(() => clearTimeout(deadline));
  }
}
