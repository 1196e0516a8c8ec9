// Rows of removed objects and of what they lead to, made by hand: small numbers for ids.
import type { BlockId, BucketId, ObjectVersion, RecordId, VolumeId } from '../../lib/foundation/ids.ts';
import type { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Row, Write } from '../../lib/panda/panda.ts';
import { type BlockRow, blockAttributes, blockKey } from '../../lib/panda/rows/block-row.ts';
import { bucketAttributes, bucketKey, deadFromRow, deadKey, isDead } from '../../lib/panda/rows/bucket-row.ts';
import type { ObjectRow } from '../../lib/panda/rows/object-row.ts';
import {
  type HoldingRow,
  holdingAttributes,
  holdingFromRow,
  type NotedSlot,
} from '../../lib/panda/rows/removed/held-references.ts';
import { removedKey } from '../../lib/panda/rows/removed/removed-row.ts';
import { shredFromRow, shredPartition } from '../../lib/panda/rows/trash-row.ts';
import { TINY, World } from '../store/harness.ts';
import { MeddledPanda } from '../store/meddled-panda.ts';

export const CELL = TINY.cell;
export const AT_MS = 100_000;
export const block = (n: number): BlockId => `${n}`.padStart(64, '0') as BlockId;
export const version = (n: number): ObjectVersion => `${n}`.padStart(24, '0') as ObjectVersion;
export const record = (n: number): RecordId => `${n}`.padStart(32, '0') as RecordId;
export const bucket = (n: number): BucketId => `${n}`.padStart(16, '0') as BucketId;
const volume = '00000000000000a0' as VolumeId;

export const rowOf = (n: number, change: Partial<BlockRow> = {}): BlockRow => ({
  ...{ id: block(n), cell: CELL, bucket: bucket(1), slot: n, recordId: record(n), recordBytes: 100 + n },
  ...{ plaintextBytes: 80, hint: { volume, generation: 1, seq: 1, token: 1, column: 0, offset: 0 } },
  ...{ refs: 1, state: 'live' as const, wrappedBek: new Uint8Array(40), kekVersion: 1, ...change },
});
export const objectOf = (n: number, blocks: readonly number[], isNamed = false): ObjectRow => ({
  ...{ namespace: 'n', key: `k${n}`, version: version(n), sizeBytes: 5, blockBytes: 1024, createdAtMs: 3 },
  ...{ etag: '5'.repeat(64), metadata: undefined, blocks: blocks.map(block), segments: undefined },
  ...(isNamed ? { isNamed: true as const } : {}),
});
const key = removedKey(CELL, AT_MS, version(1));
export const holding = (...objects: ObjectRow[]): HoldingRow =>
  holdingFromRow({
    ...key,
    attributes: holdingAttributes(objects.map((object) => ({ object, isOverwritten: false, isRestored: false }))),
  });
export const noteOf = (reference: number, n: number, change: Partial<NotedSlot> = {}): NotedSlot => ({
  ...{ reference, recordId: record(n), bucket: bucket(1), slot: n, recordBytes: 100 + n, ...change },
});
export const byId = (...rows: BlockRow[]) =>
  new Map(rows.map((row) => [row.id as BlockId, row as BlockRow | undefined]));
export const putBlock = (row: BlockRow): Write => ({
  kind: 'put',
  ...blockKey(row.id),
  attributes: blockAttributes(row),
});
export const putBucket = (n: number, slots = 300): Write => ({
  ...{ kind: 'put', ...bucketKey(CELL, bucket(n)) },
  attributes: bucketAttributes({
    ...{ volume, move: 0, seq: 0, token: 0, usedBytes: 9e6, liveBytes: 9e6, slots, createdAtMs: 0 },
  }),
});

export class MeddledReadsPanda extends MeddledPanda {
  beforeRead: (() => Promise<void>) | undefined;

  override async get(one: Parameters<MemoryPanda['get']>[0]): Promise<Row | undefined> {
    await this.beforeRead?.();
    return super.get(one);
  }
}

export async function worldWith(writes: readonly Write[]) {
  const panda = new MeddledReadsPanda();
  const world = new World(1, { ...TINY, deleteGraceMs: 1000 }, 20, panda);
  world.clock.jumpTo(AT_MS + 1000);
  for (let at = 0; at < writes.length; at += 100) await panda.transact(writes.slice(at, at + 100));
  const slept: number[] = [];
  const clock = { ...{ nowMs: () => world.clock.nowMs(), monotonicMs: () => world.clock.monotonicMs() } };
  const sleep = async (ms: number): Promise<void> => void slept.push(ms);
  const components = { ...world.start().components, clock: { ...clock, sleep } };
  const shreds = async () => (await panda.query(shredPartition(CELL))).rows.map(shredFromRow);
  const dead = async (n: number) => {
    const row = deadFromRow(await panda.get(deadKey(CELL, bucket(n))));
    return Array.from({ length: 300 }, (_, slot) => slot).filter((slot) => isDead(row, slot));
  };
  return { panda, world, components, slept, shreds, dead };
}
export const putRow = (row: HoldingRow, objects: readonly ObjectRow[]): Write => ({
  ...{ kind: 'put', partition: row.partition, sort: row.sort },
  attributes: holdingAttributes(objects.map((object) => ({ object, isOverwritten: false, isRestored: false }))),
});
