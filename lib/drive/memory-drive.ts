// A drive in a Map: for tests and simulations. Bytes are copied on the way in and out, so no caller can change what is
// stored.
import type { ByteRange, ChunkListing, Drive, ZoneRef } from './drive.ts';
import { assertRange, byName, byZone, chunkKey, zoneKey } from './drive-keys.ts';
import { chunkExists, chunkMissing } from './errors.ts';

interface ZoneGeneration {
  readonly at: ZoneRef;
  readonly chunks: Map<string, Uint8Array>;
}

export class MemoryDrive implements Drive {
  readonly label: string;
  readonly #zones = new Map<string, ZoneGeneration>();

  constructor(label = 'memory') {
    this.label = label;
  }

  /** A drive with the same objects, independent from now on: stored bytes never change, so they are shared. */
  clone(): MemoryDrive {
    const copy = new MemoryDrive(this.label);
    for (const [key, { at, chunks }] of this.#zones) copy.#zones.set(key, { at, chunks: new Map(chunks) });
    return copy;
  }

  async append(at: ZoneRef, name: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    const key = chunkKey(at, name);
    signal?.throwIfAborted();
    let zone = this.#zones.get(zoneKey(at));
    if (zone?.chunks.has(name)) throw chunkExists(this.label, key);
    if (zone === undefined) {
      zone = { at: { zone: at.zone, generation: at.generation }, chunks: new Map() };
      this.#zones.set(zoneKey(at), zone);
    }
    zone.chunks.set(name, new Uint8Array(Buffer.concat(parts)));
  }

  async read(at: ZoneRef, name: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    const key = chunkKey(at, name);
    assertRange(range);
    signal?.throwIfAborted();
    const bytes = this.#zones.get(zoneKey(at))?.chunks.get(name);
    if (bytes === undefined) throw chunkMissing(this.label, key);
    return range === undefined ? bytes.slice() : bytes.slice(range.offset, range.offset + range.length);
  }

  async list(at: ZoneRef, signal?: AbortSignal): Promise<ChunkListing[]> {
    const key = zoneKey(at);
    signal?.throwIfAborted();
    const chunks = this.#zones.get(key)?.chunks ?? [];
    return [...chunks].map(([name, { byteLength }]) => ({ name, bytes: byteLength })).sort(byName);
  }

  async zones(signal?: AbortSignal): Promise<ZoneRef[]> {
    signal?.throwIfAborted();
    return [...this.#zones.values()].map(({ at }) => ({ ...at })).sort(byZone);
  }

  async erase(at: ZoneRef, signal?: AbortSignal): Promise<void> {
    const key = zoneKey(at);
    signal?.throwIfAborted();
    this.#zones.delete(key);
  }

  async probe(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
  }
}
