// What must hold whenever a transaction is done, whatever else is under way: told of each one, with the rows as they were before.
import type { Row, Write } from '../../../lib/panda/panda.ts';
import { bucketFromRow, deadFromRow, deadKey } from '../../../lib/panda/rows/bucket-row.ts';
import { type VolumeRow, volumeFromRow } from '../../../lib/panda/rows/volume-row.ts';
import { collectBucket } from '../../../lib/volume/read/collect-bucket.ts';
import { readBucket, readVolume } from '../../../lib/volume/rows/read-rows.ts';
import type { Acting, SimWorld } from '../actors/sim-world.ts';
import type { Disk } from '../ports/disk.ts';
import { Violation } from './violation.ts';

export class Watch {
  readonly #world: SimWorld;
  /** Buckets that have left a volume, by its id. */
  readonly #left = new Map<string, Set<string>>();
  /** Set once faults have ended: whatever is erased from then on has to be readable elsewhere. */
  isQuiet = false;

  constructor(world: SimWorld) {
    this.#world = world;
  }

  /** Throws what is wrong. */
  async done(writes: readonly Write[], before: readonly (Row | undefined)[]): Promise<void> {
    for (const [i, write] of writes.entries()) {
      const row = before[i];
      if (row === undefined || write.kind === 'check' || write.kind === 'put') continue;
      if (write.partition.startsWith('bucket/') && write.kind === 'update' && write.set?.['v'] !== undefined)
        this.#moved(row);
      if (!write.partition.startsWith('volume/')) continue;
      if (write.kind === 'delete') await this.#expectErased(volumeFromRow(row));
      else if (write.set?.['s'] === 'erasing') await this.#expectElsewhere(volumeFromRow(row));
    }
  }

  #moved(row: Row): void {
    const { id, volume } = bucketFromRow(row);
    const left = this.#left.get(volume) ?? new Set();
    this.#left.set(volume, left.add(id));
  }

  /** The inspector goes by the volume's list of what has left it; and once all is quiet it must have seen it. */
  async #expectElsewhere(volume: VolumeRow): Promise<void> {
    for (const id of this.#left.get(volume.id) ?? [])
      if (!(volume.moved as ReadonlySet<string>).has(id))
        throw new Violation('wrong', `volume ${volume.id} does not list bucket ${id}, which has left it`);
    if (!this.isQuiet) return;
    const direct = this.#world.direct();
    for (const id of volume.moved) await this.#expectReadable(direct, volume, id);
  }

  async #expectReadable(
    { components, volumes }: Acting,
    volume: VolumeRow,
    id: Parameters<typeof deadKey>[1],
  ): Promise<void> {
    const { cell } = components.settings;
    const bucket = await readBucket(components.panda, cell, id);
    const home = bucket && (await readVolume(components.panda, cell, bucket.volume));
    if (bucket === undefined || home === undefined) return;
    try {
      await collectBucket(volumes, home, bucket, deadFromRow(await components.panda.get(deadKey(cell, id))));
    } catch (error) {
      throw new Violation('wrong', `volume ${volume.id} is erased, and bucket ${id} cannot be read elsewhere`, error);
    }
  }

  /** What somebody wrote late is there again: then it has been erased before. */
  async #expectErased({ id, extents }: VolumeRow): Promise<void> {
    for (const { drive, zone, zoneGeneration } of extents) {
      const disk = this.#world.disks[drive] as Disk;
      const at = { zone, generation: zoneGeneration };
      if (disk.holds(at) && !disk.wasErased(at))
        throw new Violation(
          'wrong',
          `zone ${zone} of drive ${drive} is free, and volume ${id} was never erased from it`,
        );
    }
  }
}
