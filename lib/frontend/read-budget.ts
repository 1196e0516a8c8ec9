// Memory for blocks that are read before they are asked for, shared by all gets of a process. Nobody waits for it: who
// gets none reads one block after the other, so a reader that stands still holds up no other.
export class ReadBudget {
  #freeBytes: number;

  constructor(bytes: number) {
    this.#freeBytes = bytes;
  }

  tryTake(bytes: number): boolean {
    if (this.#freeBytes < bytes) return false;
    this.#freeBytes -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#freeBytes += bytes;
  }
}
