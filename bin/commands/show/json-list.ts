// A list that may be longer than memory is large, for the one JSON document of a command: it grows in a file that has
// no name, and is copied to standard output when all is known. What stood there half would be no document.
import { once } from 'node:events';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const HELD_CHARACTERS = 256 * 1024;
const PIECE_BYTES = 1024 * 1024;

export class JsonList {
  #held = '';
  #file: number | undefined;
  #bytes = 0;
  #count = 0;

  get length(): number {
    return this.#count;
  }

  add(value: unknown): void {
    this.#held += `${this.#count === 0 ? '' : ','}${JSON.stringify(value)}`;
    this.#count += 1;
    if (this.#held.length >= HELD_CHARACTERS) this.#spill();
  }

  /** Writes the document `rest` with this list under `name` to standard output. Once. */
  async answer(rest: object, name: string): Promise<void> {
    const head = JSON.stringify(rest).slice(0, -1);
    await write(`${head}${head === '{' ? '' : ','}${JSON.stringify(name)}:[`);
    if (this.#file !== undefined) {
      const piece = Buffer.alloc(PIECE_BYTES);
      for (let at = 0; at < this.#bytes; ) {
        const read = readSync(this.#file, piece, 0, piece.length, at);
        await write(Buffer.from(piece.subarray(0, read)));
        at += read;
      }
      closeSync(this.#file);
      this.#file = undefined;
    }
    await write(`${this.#held}]}\n`);
  }

  #spill(): void {
    this.#file ??= openUnnamed();
    const bytes = Buffer.from(this.#held);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at, bytes.length - at, this.#bytes + at);
    this.#bytes += bytes.length;
    this.#held = '';
  }
}

function openUnnamed(): number {
  const path = join(tmpdir(), `pocketful-${process.pid}-${process.hrtime.bigint()}.json`);
  const file = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return file;
}

async function write(data: string | Buffer): Promise<void> {
  if (!process.stdout.write(data)) await once(process.stdout, 'drain');
}
