// A shelf in a Map, for tests.
import type { ByteRange } from '../../lib/drive/drive.ts';
import { chunkExists, chunkMissing } from '../../lib/drive/errors.ts';
import type { Shelf, ShelfEntry } from '../../lib/drive/shelf.ts';

export class MemoryShelf implements Shelf {
  readonly label: string;
  readonly #objects = new Map<string, Uint8Array>();

  constructor(label = 'memory') {
    this.label = label;
  }

  async put(epoch: number, name: string, parts: readonly Uint8Array[]): Promise<void> {
    const key = `${epoch}/${name}`;
    if (this.#objects.has(key)) throw chunkExists(this.label, key);
    this.#objects.set(key, new Uint8Array(Buffer.concat(parts)));
  }

  async read(epoch: number, name: string, range?: ByteRange): Promise<Uint8Array> {
    const bytes = this.#objects.get(`${epoch}/${name}`);
    if (bytes === undefined) throw chunkMissing(this.label, `${epoch}/${name}`);
    return range === undefined ? bytes.slice() : bytes.slice(range.offset, range.offset + range.length);
  }

  async list(): Promise<ShelfEntry[]> {
    return [...this.#objects].map(([key, { byteLength }]) => {
      const [epoch = '', name = ''] = key.split('/');
      return { epoch: Number(epoch), name, bytes: byteLength };
    });
  }

  async remove(epoch: number, names: readonly string[]): Promise<void> {
    for (const name of names) this.#objects.delete(`${epoch}/${name}`);
  }

  /** Every stored byte, for tests that look for something, or that damage it. */
  get objects(): ReadonlyMap<string, Uint8Array> {
    return this.#objects;
  }
}
