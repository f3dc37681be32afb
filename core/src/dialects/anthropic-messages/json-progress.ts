/** Watches a JSON object being streamed in pieces and knows when it is complete, without parsing it. */
export class JsonProgress {
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #isComplete = false;

  /** True once the outermost bracket has been closed. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  push(piece: string): void {
    for (let index = 0; index < piece.length; index += 1) this.#character(piece.charCodeAt(index));
  }

  #character(code: number): void {
    if (this.#isInString) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (code === 0x5c /* \ */) this.#isEscaped = true;
      else if (code === 0x22 /* " */) this.#isInString = false;
      return;
    }
    if (code === 0x22) this.#isInString = true;
    else if (code === 0x7b /* { */ || code === 0x5b /* [ */) this.#depth += 1;
    else if (code === 0x7d /* } */ || code === 0x5d /* ] */) {
      this.#depth -= 1;
      if (this.#depth === 0) this.#isComplete = true;
    }
  }
}
