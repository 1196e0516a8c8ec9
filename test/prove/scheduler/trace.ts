// What happened, in order: a digest always, the lines themselves on request. Two runs of one seed must have the same digest.
import { createHash } from 'node:crypto';

const LINES_MAX = 20_000;
const FLUSH_CHARS = 16_384;

export class Trace {
  readonly #hash = createHash('sha256');
  readonly #lines: string[] | undefined;
  #waiting = '';

  constructor(keepLines: boolean) {
    this.#lines = keepLines ? [] : undefined;
  }

  note(line: string): void {
    this.#waiting += `${line}\n`;
    if (this.#waiting.length > FLUSH_CHARS) this.#flush();
    if (this.#lines === undefined) return;
    this.#lines.push(line);
    if (this.#lines.length > 2 * LINES_MAX) this.#lines.splice(0, LINES_MAX);
  }

  get lines(): readonly string[] {
    return this.#lines ?? [];
  }

  digest(): string {
    this.#flush();
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  #flush(): void {
    this.#hash.update(this.#waiting);
    this.#waiting = '';
  }
}
