/** Share of requests that may be retries, and the retries that are always allowed, per window. */
export const retryShare = 0.1;
export const retryFloor = 10;
export const retryWindowMs = 10_000;

/**
 * Keeps retries from multiplying an outage: of the requests to one provider in a window of 10 s, at most 10 % may be retries,
 * but 10 always. Moving on to another key because one was refused is not counted: it costs the provider no work.
 * The window is approximated by the current and the previous 10 s, the latter weighted by its overlap.
 */
export class RetryBudget {
  #windowStart = 0;
  #requests = 0;
  #retries = 0;
  #previousRequests = 0;
  #previousRetries = 0;

  /** Counts a first attempt. `now` in milliseconds, monotonic. */
  countRequest(now: number): void {
    this.#advance(now);
    this.#requests += 1;
  }

  /** Takes one retry out of the budget; false when none is left. */
  tryRetry(now: number): boolean {
    this.#advance(now);
    const overlap = 1 - (now - this.#windowStart) / retryWindowMs;
    const retries = this.#retries + this.#previousRetries * overlap;
    const requests = this.#requests + this.#previousRequests * overlap;
    if (retries + 1 > Math.max(retryFloor, requests * retryShare)) return false;
    this.#retries += 1;
    return true;
  }

  #advance(now: number): void {
    const passed = now - this.#windowStart;
    if (passed < retryWindowMs) return;
    const isAdjacent = passed < 2 * retryWindowMs;
    this.#previousRequests = isAdjacent ? this.#requests : 0;
    this.#previousRetries = isAdjacent ? this.#retries : 0;
    this.#requests = 0;
    this.#retries = 0;
    this.#windowStart = isAdjacent ? this.#windowStart + retryWindowMs : now;
  }
}
