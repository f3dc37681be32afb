import type { ExplainedRequest } from './explained-request.ts';

/** The last explanations of all threads, in memory only: they show what plugins know and change. */
export class ExplanationLog {
  readonly #capacity: number;
  /** In the order of their arrival. */
  readonly #requests = new Map<string, ExplainedRequest>();

  /** `capacity`: requests that are kept. */
  constructor(capacity = 200) {
    this.#capacity = capacity;
  }

  /** A later request with the same id takes the earlier one's place. */
  add(request: ExplainedRequest): void {
    const { requestId } = request.facts;
    this.#requests.delete(requestId);
    this.#requests.set(requestId, request);
    if (this.#requests.size <= this.#capacity) return;
    const [oldest] = this.#requests.keys();
    if (oldest !== undefined) this.#requests.delete(oldest);
  }

  find(requestId: string): ExplainedRequest | undefined {
    return this.#requests.get(requestId);
  }

  /** The newest first. */
  list(): readonly ExplainedRequest[] {
    return [...this.#requests.values()].toReversed();
  }
}
