// The medium of a simulated drive: objects in a Map, which may rot, get lost, be torn by a writer that died, or go back to what
// they were a while ago. What state the drive is in is said by its owner.
import type { ByteRange, ChunkListing, Drive, ZoneRef } from '../../../lib/drive/drive.ts';
import { assertRange, byName, byZone, chunkKey, zoneKey } from '../../../lib/drive/drive-keys.ts';
import { chunkExists, chunkMissing, driveFull, driveReadOnly, driveUnavailable } from '../../../lib/drive/errors.ts';
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { MemoryShelf } from '../../journal/memory-shelf.ts';

export type DiskState = 'healthy' | 'away' | 'full' | 'read-only';

interface ZoneGeneration {
  readonly at: ZoneRef;
  readonly objects: Map<string, Uint8Array>;
}
type Zones = Map<string, ZoneGeneration>;

const copyOf = (zones: Zones): Zones =>
  new Map([...zones].map(([key, { at, objects }]) => [key, { at, objects: new Map(objects) }]));

export class Disk implements Drive {
  readonly label: string;
  state: DiskState = 'healthy';
  #zones: Zones = new Map();
  #remembered: Zones | undefined;
  readonly #erased = new Set<string>();
  readonly #torn = new Set<string>();
  /** Where the journal of the metadata lies. */
  readonly #shelf: MemoryShelf;

  constructor(label: string) {
    this.label = label;
    this.#shelf = new MemoryShelf(label);
  }

  clone(): Disk {
    const copy = new Disk(this.label);
    copy.#zones = copyOf(this.#zones);
    return copy;
  }

  async append(at: ZoneRef, name: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    const key = chunkKey(at, name);
    signal?.throwIfAborted();
    this.#requireWritable(true);
    const zone = this.#zoneAt(at);
    if (zone.objects.has(name)) throw chunkExists(this.label, key);
    zone.objects.set(name, new Uint8Array(Buffer.concat(parts)));
  }

  async read(at: ZoneRef, name: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    const key = chunkKey(at, name);
    assertRange(range);
    signal?.throwIfAborted();
    this.#requireThere();
    const bytes = this.#zones.get(zoneKey(at))?.objects.get(name);
    if (bytes === undefined) throw chunkMissing(this.label, key);
    return range === undefined ? bytes.slice() : bytes.slice(range.offset, range.offset + range.length);
  }

  async list(at: ZoneRef, signal?: AbortSignal): Promise<ChunkListing[]> {
    signal?.throwIfAborted();
    this.#requireThere();
    const objects = this.#zones.get(zoneKey(at))?.objects ?? [];
    return [...objects].map(([name, { byteLength }]) => ({ name, bytes: byteLength })).sort(byName);
  }

  async zones(signal?: AbortSignal): Promise<ZoneRef[]> {
    signal?.throwIfAborted();
    this.#requireThere();
    return [...this.#zones.values()].map(({ at }) => ({ ...at })).sort(byZone);
  }

  async erase(at: ZoneRef, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.#requireWritable(false);
    this.#zones.delete(zoneKey(at));
    this.#erased.add(zoneKey(at));
  }

  async probe(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.#requireWritable(true);
  }

  /** Whatever state it is in: for checks. */
  get medium(): MemoryShelf {
    return this.#shelf;
  }

  /** Throws if the drive is not in a state for that. */
  shelf(isWritten = false, takesSpace = false): MemoryShelf {
    if (isWritten) this.#requireWritable(takesSpace);
    else this.#requireThere();
    return this.#shelf;
  }

  /** One object of the journal is gone, or has a bit that is another one. */
  strikeShelf(kind: 'lose' | 'rot', random: SeededRandomness): void {
    const all = [...this.#shelf.objects];
    const [key = '', bytes = new Uint8Array(0)] = all[random.below(Math.max(1, all.length))] ?? [];
    const [epoch = '', name = ''] = key.split('/');
    if (kind === 'lose') void this.#shelf.remove(Number(epoch), [name]);
    else if (bytes.length > 0) {
      const at = random.below(bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
    }
  }

  /** A writer that died left a part of its object. */
  tear(at: ZoneRef, name: string, parts: readonly Uint8Array[], random: SeededRandomness): void {
    const zone = this.#zoneAt(at);
    if (zone.objects.has(name) || this.state !== 'healthy') return;
    const whole = Buffer.concat(parts);
    zone.objects.set(name, new Uint8Array(whole.subarray(0, random.below(whole.length))));
    this.#torn.add(chunkKey(at, name));
  }

  /** Whether the object was left half written; nothing else can be stored under its name. */
  wasTorn(at: ZoneRef, name: string): boolean {
    return this.#torn.has(chunkKey(at, name));
  }

  /** Written by somebody who was very late, unless the drive cannot take it. */
  leave(at: ZoneRef, name: string, bytes: Uint8Array): void {
    if (this.state === 'healthy') this.#zoneAt(at).objects.set(name, bytes);
  }

  /** One bit of one object flips. False if there is none. */
  rot(random: SeededRandomness): boolean {
    const found = this.#pick(random);
    if (found === undefined) return false;
    const { objects, name } = found;
    const bytes = (objects.get(name) as Uint8Array).slice();
    const at = random.below(Math.max(1, bytes.length));
    if (bytes.length === 0) return false;
    bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
    objects.set(name, bytes);
    return true;
  }

  lose(random: SeededRandomness): boolean {
    const found = this.#pick(random);
    if (found === undefined) return false;
    found.objects.delete(found.name);
    return true;
  }

  /** Whatever lies in a zone. */
  loseAll(at: ZoneRef): void {
    this.#zones.get(zoneKey(at))?.objects.clear();
  }

  remember(): void {
    this.#remembered = copyOf(this.#zones);
  }

  /** The drive comes back as it was when it was last remembered: a clone of it, or its latest backup. */
  goBack(): boolean {
    if (this.#remembered === undefined) return false;
    this.#zones = this.#remembered;
    this.#remembered = undefined;
    return true;
  }

  holds(at: ZoneRef): boolean {
    return (this.#zones.get(zoneKey(at))?.objects.size ?? 0) > 0;
  }

  /** At any time, whatever came later. */
  wasErased(at: ZoneRef): boolean {
    return this.#erased.has(zoneKey(at));
  }

  /** All zone generations with at least one object, with what they hold: for checks. */
  held(): { readonly at: ZoneRef; readonly names: readonly string[]; readonly bytes: number }[] {
    return [...this.#zones.values()]
      .filter(({ objects }) => objects.size > 0)
      .map(({ at, objects }) => ({
        at,
        names: [...objects.keys()],
        bytes: [...objects.values()].reduce((sum, { length }) => sum + length, 0),
      }));
  }

  #zoneAt(at: ZoneRef): ZoneGeneration {
    const known = this.#zones.get(zoneKey(at));
    if (known !== undefined) return known;
    const zone = { at: { zone: at.zone, generation: at.generation }, objects: new Map<string, Uint8Array>() };
    this.#zones.set(zoneKey(at), zone);
    return zone;
  }

  #pick(random: SeededRandomness): { readonly objects: Map<string, Uint8Array>; readonly name: string } | undefined {
    const all = [...this.#zones.values()].flatMap(({ objects }) =>
      [...objects.keys()].map((name) => ({ objects, name })),
    );
    return all.length === 0 ? undefined : all[random.below(all.length)];
  }

  #requireThere(): void {
    if (this.state === 'away') throw driveUnavailable(this.label, 'the drive is away');
  }

  #requireWritable(takesSpace: boolean): void {
    this.#requireThere();
    if (this.state === 'read-only') throw driveReadOnly(this.label);
    if (this.state === 'full' && takesSpace) throw driveFull(this.label);
  }
}
