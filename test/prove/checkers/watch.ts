// What must hold whenever a transaction is done, whatever else is under way: told of each one, with the rows as they were before.
import { lossesMax } from '../../../lib/engine/drives/watch-drives.ts';
import type { Row, Write } from '../../../lib/panda/panda.ts';
import { bucketFromRow, deadFromRow, deadKey } from '../../../lib/panda/rows/bucket-row.ts';
import { drivePartition } from '../../../lib/panda/rows/drives/drive-row.ts';
import { isListedIn, listPartition, VOLUME_LISTS } from '../../../lib/panda/rows/open-row.ts';
import { extentText, laneOf, type VolumeRow, volumeFromRow } from '../../../lib/panda/rows/volume-row.ts';
import { zoneKey } from '../../../lib/panda/rows/zone-row.ts';
import { collectBucket } from '../../../lib/volume/read/collect-bucket.ts';
import { readBucket, readVolume } from '../../../lib/volume/rows/read-rows.ts';
import type { Acting, SimWorld } from '../actors/sim-world.ts';
import type { Disk } from '../ports/disk.ts';
import { expectDamageNotedRightly, movedBy } from './damage.ts';
import { expectLostByRule } from './lost-drives.ts';
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
      if (write.partition.startsWith('volume/')) this.#expectListed(writes, write, row);
      if (write.partition === drivePartition) await this.#expectLostByRule(write, row);
      await expectDamageNotedRightly(this.#world, write);
      if (row === undefined || write.kind === 'check' || write.kind === 'put') continue;
      if (write.partition.startsWith('bucket/') && write.kind === 'update' && write.set?.['v'] !== undefined)
        await this.#moved(row, String(write.set['v']));
      if (!write.partition.startsWith('volume/')) continue;
      for (const extent of movedBy(write, row)) this.#world.movedExtents.add(extentText(extent));
      if (write.kind === 'delete') await this.#expectErased(volumeFromRow(row), writes);
      else if (write.set?.['s'] === 'erasing') await this.#expectElsewhere(volumeFromRow(row));
    }
  }

  /** Whatever makes a volume open or hot, or no longer, says so where these are listed. */
  #expectListed(writes: readonly Write[], write: Write, before: Row | undefined): void {
    const { cell } = this.#world.settings;
    const was = before && volumeFromRow(before);
    const is = volumeAfter(write, before);
    for (const list of VOLUME_LISTS) {
      const [from, to] = [was, is].map((volume) => volume !== undefined && isListedIn(list, volume));
      if (from === to) continue;
      const isTold = writes.some(
        ({ kind, partition, sort }) =>
          kind === (to ? 'put' : 'delete') && partition === listPartition(list, cell) && sort === write.sort,
      );
      if (!isTold)
        throw new Violation(
          'wrong',
          `volume ${write.sort} is ${to ? '' : 'no longer '}${list}, and is not ${to ? '' : 'un'}listed`,
        );
    }
  }

  async #expectLostByRule(write: Write, before: Row | undefined): Promise<void> {
    const { rows } = await this.#world.server.rows.query(drivePartition);
    expectLostByRule(write, before, rows, lossesMax(this.#world));
  }

  async #moved(row: Row, to: string): Promise<void> {
    const { id, volume } = bucketFromRow(row);
    if (this.#world.plan.keepsApart) await this.#expectSameLane(id, volume, to as VolumeRow['id']);
    const left = this.#left.get(volume) ?? new Set();
    this.#left.set(volume, left.add(id));
  }

  async #expectSameLane(bucket: string, from: VolumeRow['id'], to: VolumeRow['id']): Promise<void> {
    const { server, settings } = this.#world;
    const [left, joined] = await Promise.all([from, to].map((id) => readVolume(server.rows, settings.cell, id)));
    if (left === undefined || joined === undefined || laneOf(left) === laneOf(joined)) return;
    const lanes = `lane ${laneOf(left)} into lane ${laneOf(joined)}`;
    throw new Violation('wrong', `bucket ${bucket} has moved out of ${lanes}`);
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

  /**
   * What somebody wrote late is there again: then it has been erased before. Zones of drives that were given up are not free, and wait.
   */
  async #expectErased({ id, extents }: VolumeRow, writes: readonly Write[]): Promise<void> {
    for (const { drive, zone, zoneGeneration } of extents) {
      const key = zoneKey(drive, zone);
      const isFreed = writes.some((write) => write.partition === key.partition && write.sort === key.sort);
      if (!isFreed) continue;
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

/** Of a volume's row only class and state are asked for. */
function volumeAfter(write: Write, before: Row | undefined): VolumeRow | undefined {
  if (write.kind === 'put') return volumeFromRow(write);
  if (write.kind === 'delete' || before === undefined) return undefined;
  const set = write.kind === 'update' ? write.set : undefined;
  return { ...volumeFromRow(before), ...(set?.['s'] === undefined ? {} : { state: set['s'] as VolumeRow['state'] }) };
}
