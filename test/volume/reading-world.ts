// A small store for tests of the read path: real volumes written by the real append and move steps, drives whose reads are
// counted, and ways to damage what lies on them.
import type { CodecName } from '../../lib/codec/codec.ts';
import { codecShape } from '../../lib/codec/shape.ts';
import type { ByteRange, Drive, ZoneRef } from '../../lib/drive/drive.ts';
import { FaultyDrive } from '../../lib/drive/faulty-drive.ts';
import { MemoryDrive } from '../../lib/drive/memory-drive.ts';
import { buildRecord } from '../../lib/format/record.ts';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { type FaultMode, scriptedPlan } from '../../lib/foundation/faults.ts';
import { type BlockId, type BucketId, hexOf, newBucketId, newRecordId, newStoreId } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import type { KekStore } from '../../lib/keys/keys.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Key, Row } from '../../lib/panda/panda.ts';
import { type BucketRow, bucketKey, deadKey, NO_DEAD, withDead } from '../../lib/panda/rows/bucket-row.ts';
import { groupAttributes, groupKey } from '../../lib/panda/rows/group-row.ts';
import { fillExtents } from '../../lib/panda/rows/volume-changes.ts';
import { type VolumeRow, volumeKey } from '../../lib/panda/rows/volume-row.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import type { RecordName } from '../../lib/volume/read/read-record.ts';
import type { Components } from '../../lib/volume/rows/components.ts';
import { directoryBytesOf, filledBy, slotSpan } from '../../lib/volume/rows/directory-room.ts';
import { readBucket, readVolume } from '../../lib/volume/rows/read-rows.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { appendGroup } from '../../lib/volume/write/append.ts';
import { writeGroup } from '../../lib/volume/write/write-group.ts';

export interface Stored extends RecordName {
  readonly record: Uint8Array;
}

const noKeys = {} as KekStore;
const MIB = 1024 * 1024;

/** Lets a test change the world just before a read is answered. */
class HookedDrive extends MemoryDrive {
  readonly #hook: (label: string, name: string) => Promise<void> | undefined;

  constructor(label: string, hook: (label: string, name: string) => Promise<void> | undefined) {
    super(label);
    this.#hook = hook;
  }

  override async read(at: ZoneRef, name: string, range?: ByteRange): Promise<Uint8Array> {
    await this.#hook(this.label, name);
    return super.read(at, name, range);
  }
}

/** The same for single rows. */
class HookedPanda extends MemoryPanda {
  /** Awaited before every get once set. */
  beforeGet: ((key: Key) => Promise<void>) | undefined;

  override async get(key: Key): Promise<Row | undefined> {
    await this.beforeGet?.(key);
    return super.get(key);
  }
}

export class ReadingWorld {
  readonly random: SeededRandomness;
  readonly clock = new SimulatedClock();
  readonly panda = new HookedPanda();
  readonly media: MemoryDrive[] = [];
  readonly drives: FaultyDrive[] = [];
  readonly components: Components;
  /** `drive label:zone/generation/name` of every read so far. */
  reads: string[] = [];
  /** Asked before every drive call once set. */
  fault: ((operation: string, detail: string) => FaultMode) | undefined;
  /** Awaited before every read once set. */
  beforeRead: ((label: string, name: string) => Promise<void>) | undefined;
  store: VolumeStore;

  constructor(options: { hot?: CodecName; warm: CodecName; seed?: number; drives?: number }) {
    this.random = new SeededRandomness(options.seed ?? 1);
    const shape = codecShape(options.warm);
    const hot = codecShape(options.hot ?? options.warm);
    const columns = Math.max(shape.dataColumns + shape.parityColumns, hot.dataColumns + hot.parityColumns);
    const plan = scriptedPlan(({ operation }, detail) => {
      if (operation === 'read') this.reads.push(detail);
      return this.fault?.(operation, detail) ?? 'none';
    });
    for (let i = 0; i < (options.drives ?? columns); i++) {
      const medium = new HookedDrive(`d${i}`, (label, name) => this.beforeRead?.(label, name));
      this.media.push(medium);
      this.drives.push(new FaultyDrive(medium, { plan }));
    }
    this.components = {
      settings: settingsOf('demo', {
        hotCodec: options.hot ?? options.warm,
        warmCodec: options.warm,
        extentBytes: 8 * MIB,
        openVolumes: 1,
      }),
      storeId: newStoreId(this.random),
      clock: this.clock,
      randomness: this.random,
      drives: this.drives,
      panda: this.panda,
      keks: noKeys,
      owner: 'reading-world',
      isOwnerGone: () => false,
    };
    this.store = new VolumeStore(this.components);
  }

  /** A process that knows nothing yet. */
  restart(): VolumeStore {
    this.store = new VolumeStore(this.components);
    this.reads = [];
    return this.store;
  }

  newRecord(bodyBytes: number): { recordId: ReturnType<typeof newRecordId>; record: Uint8Array } {
    const recordId = newRecordId(this.random);
    const header = { recordId, compressed: false, plaintextBytes: bodyBytes - 16, bodyBytes };
    return { recordId, record: new Uint8Array(buildRecord(header, this.random.bytes(bodyBytes))) };
  }

  /** Appends one group and settles it as if every slot were indexed. */
  async append(bodyBytes: readonly number[]): Promise<Stored[]> {
    const records = bodyBytes.map((bytes) => ({
      blockId: hexOf(this.random.bytes(32)) as BlockId,
      ...this.newRecord(bytes),
    }));
    const group = await appendGroup(this.store, records, 1);
    await this.panda.transact([group.finish()]);
    group.finished();
    return records.map(({ recordId, record }, i) => ({
      cell: this.components.settings.cell,
      bucket: group.placed[i]?.bucket as Stored['bucket'],
      slot: group.placed[i]?.slot as number,
      recordId,
      recordBytes: record.length,
      hint: group.placed[i]?.hint as Stored['hint'],
      record,
    }));
  }

  /**
   * Writes buckets into one move group of an open warm volume, as their first or next move. `from`: records to move, by bucket; slots
   * and ids stay.
   */
  async move(buckets: readonly (readonly Stored[])[]): Promise<VolumeRow> {
    const rows = await Promise.all(buckets.map((records) => this.bucketRow(records[0]?.bucket as BucketId)));
    const records = buckets.flatMap((stored, i) =>
      stored.map(({ bucket, slot, recordId, record }) => ({
        bucket,
        move: (rows[i]?.move ?? 0) + 1,
        slot,
        recordId,
        record,
      })),
    );
    const bytes = records.reduce((sum, { record }) => sum + record.length, 0);
    const lease = await this.store.open.lease(
      'warm',
      Math.min(bytes + records.length * 64 + 4096, 7 * MIB),
      buckets.length,
    );
    const written = await writeGroup(this.store, lease, 'move', records);
    const { volume, seq, token } = lease;
    const { cell } = this.components.settings;
    const spans = buckets.map((stored) => slotSpan(stored));
    const filled = filledBy(volume, written.objectBytes, directoryBytesOf(spans));
    const group = { kind: 'move', seq, token, columnBytes: written.columnBytes, run: 'test/run/1' } as const;
    await this.panda.transact([
      {
        kind: 'update',
        ...volumeKey(cell, volume.id),
        set: { n: seq + 1, ...fillExtents(filled).set },
        insert: { b: rows.map(({ id }) => id) },
        remove: ['o', 'e'],
      },
      { kind: 'put', ...groupKey(volume.id, volume.generation, seq), attributes: groupAttributes(group) },
      ...rows.map((row) => ({
        kind: 'update' as const,
        ...bucketKey(cell, row.id),
        set: { v: volume.id, m: row.move + 1, q: seq, t: token },
      })),
    ]);
    lease.done(undefined);
    return (await readVolume(this.panda, cell, volume.id)) as VolumeRow;
  }

  /** A bucket that is only in Panda, for records that are moved somewhere at once. */
  async virtualBucket(bodyBytes: readonly number[]): Promise<Stored[]> {
    const bucket = newBucketId(this.random);
    const records = bodyBytes.map((bytes) => this.newRecord(bytes));
    const total = records.reduce((sum, { record }) => sum + record.length, 0);
    const attributes = { v: '0000000000000000', m: 0, u: total, l: total, n: records.length, a: 0 };
    await this.panda.transact([{ kind: 'put', ...bucketKey(this.components.settings.cell, bucket), attributes }]);
    const hint = { volume: '0000000000000000', generation: 1, seq: 1, token: 1, column: 0, offset: 0 } as never;
    return records.map(({ recordId, record }, slot) => ({
      cell: this.components.settings.cell,
      bucket,
      slot,
      recordId,
      recordBytes: record.length,
      hint,
      record,
    }));
  }

  async bucketRow(bucket: BucketId): Promise<BucketRow> {
    return (await readBucket(this.panda, this.components.settings.cell, bucket)) as BucketRow;
  }

  async volumeOf(stored: RecordName): Promise<VolumeRow> {
    const { volume } = await this.bucketRow(stored.bucket);
    return (await readVolume(this.panda, this.components.settings.cell, volume)) as VolumeRow;
  }

  async kill(bucket: BucketId, slots: readonly number[]): Promise<void> {
    const attributes = { v: 1, b: withDead(NO_DEAD, slots) };
    await this.panda.transact([{ kind: 'put', ...deadKey(this.components.settings.cell, bucket), attributes }]);
  }

  /** Replaces what lies on a volume's column; undefined removes an object. The drive itself does not notice. */
  async tamper(
    volume: VolumeRow,
    column: number,
    change: (bytes: Uint8Array, name: string) => Uint8Array | undefined,
  ): Promise<void> {
    const extent = volume.extents[column] as VolumeRow['extents'][number];
    const at = { zone: extent.zone, generation: extent.zoneGeneration };
    const medium = this.media[extent.drive] as Drive;
    const objects = await Promise.all(
      (await medium.list(at)).map(async ({ name }) => ({ name, bytes: await medium.read(at, name) })),
    );
    await medium.erase(at);
    for (const { name, bytes } of objects) {
      const changed = change(bytes, name);
      if (changed !== undefined) await medium.append(at, name, [changed]);
    }
  }

  driveOf(volume: VolumeRow, column: number): FaultyDrive {
    return this.drives[volume.extents[column]?.drive as number] as FaultyDrive;
  }

  /** The columns of the volume that the reads so far touched, ascending. */
  columnsRead(volume: VolumeRow): number[] {
    const labels = new Set(this.reads.map((detail) => detail.split(':')[0]));
    return volume.extents.flatMap((_, column) => (labels.has(this.driveOf(volume, column).label) ? [column] : []));
  }
}
