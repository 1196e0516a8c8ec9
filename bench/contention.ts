// Many functions that put at once into one store, in simulated time, under DynamoDB's rule that a row in two
// transactions at once refuses the later one: blobs a second, and the share of so many times one function. What is
// real: leases, appends, index transactions, back-offs. What is reckoned: how long a call takes.

import type { Drive } from '../lib/drive/drive.ts';
import { MemoryDrive } from '../lib/drive/memory-drive.ts';
import { isKind } from '../lib/foundation/errors.ts';
import { type BlockId, hexOf, newObjectVersion, newRecordId, newStoreId } from '../lib/foundation/ids.ts';
import { SeededRandomness } from '../lib/foundation/randomness.ts';
import { type Appended, IndexBatch } from '../lib/frontend/index-batch.ts';
import { readObjects } from '../lib/frontend/index-objects.ts';
import type { FreshBlock, ObjectChange } from '../lib/frontend/index-plan.ts';
import { MemoryPanda } from '../lib/panda/memory-panda.ts';
import type { Write } from '../lib/panda/panda.ts';
import { PRESETS, type Settings } from '../lib/settings/settings.ts';
import { VolumeStore } from '../lib/volume/volume-store.ts';
import { appendGroup } from '../lib/volume/write/append.ts';
import { EventClock } from '../test/cost/event-clock.ts';
import { FixedKeks } from '../test/store/harness.ts';
import { type Benches, type BenchResult, type Figure, machine } from './bench.ts';

const FUNCTIONS = [1, 16, 64, 256];
const SECONDS = 3;
const OPEN_VOLUMES = 64;
/** Partitions of objects: DynamoDB parts a hot one by its sort keys. */
const NAMESPACES = 1024;
const SEED = 11;
const TRANSACTION_MS = 15;
const WRITE_MS = 7;
const READ_MS = 4;
const DRIVE_MS = 30;
const PARTITION_WRITES_PER_SECOND = 1000;
const RECORD_BYTES = 100;

export const benches: Benches = { contention };

interface Way {
  readonly name: string;
  readonly blobsPerCall: number;
  readonly settings: Settings;
  /** Further writes of every index transaction. */
  readonly guards?: readonly Write[];
}

/** As it was: a row that every index transaction of every function checks. */
const SHARED: Write = { kind: 'check', partition: 'kek-retiring', sort: '1', if: ['absent'] };

async function contention(): Promise<BenchResult> {
  const settings: Settings = { ...PRESETS.thrifty, openVolumes: OPEN_VOLUMES };
  const ways: Way[] = [
    { name: '1 blob a call', blobsPerCall: 1, settings },
    { name: '64 blobs a call', blobsPerCall: 64, settings },
    { name: '1 blob a call, all check one row', blobsPerCall: 1, settings, guards: [SHARED] },
  ];
  const figures: Figure[] = [];
  for (const way of ways) {
    let alone = 0;
    for (const functions of FUNCTIONS) {
      const value = await blobsPerSecond(way, functions);
      if (functions === 1) alone = value;
      const name = `${way.name}: ${functions} functions`;
      figures.push({ name, value: Math.round(value), unit: 'blobs/s', ratio: value / (alone * functions) });
    }
  }
  return { bench: 'contention', machine: `simulated time; ${machine()}`, figures };
}

const slow = (drive: MemoryDrive, clock: EventClock): Drive =>
  new Proxy(drive, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]): Promise<unknown> => {
        await clock.sleep(DRIVE_MS);
        return value.apply(target, args);
      };
    },
  });

async function blobsPerSecond(way: Way, functions: number): Promise<number> {
  const clock = new EventClock();
  const panda = new MemoryPanda({
    pace: {
      clock,
      transactionMs: TRANSACTION_MS,
      writeMs: WRITE_MS,
      readMs: READ_MS,
      partitionWritesPerSecond: PARTITION_WRITES_PER_SECOND,
    },
  });
  const drives = Array.from({ length: 20 }, (_, i) => slow(new MemoryDrive(`drive-${i}`), clock));
  const storeId = newStoreId(new SeededRandomness(SEED));
  const endMs = SECONDS * 1000;
  let blobs = 0;
  const work = async (number: number): Promise<void> => {
    const randomness = new SeededRandomness(SEED * 1000 + number);
    const store = new VolumeStore({
      settings: way.settings,
      storeId,
      clock,
      randomness,
      drives,
      panda,
      keks: new FixedKeks(SEED),
      owner: `f${number}`,
      isOwnerGone: () => false,
    });
    await clock.sleep(randomness.below(100));
    while (clock.monotonicMs() < endMs) {
      const done = await putCall(store, way, number);
      if (clock.monotonicMs() <= endMs) blobs += done;
    }
  };
  await clock.run(Promise.all(Array.from({ length: functions }, (_, i) => work(i))));
  return blobs / SECONDS;
}

/** How many blobs are acknowledged. */
async function putCall(store: VolumeStore, way: Way, number: number): Promise<number> {
  const { components } = store;
  const ids = Array.from({ length: way.blobsPerCall }, () => hexOf(components.randomness.bytes(32)) as BlockId);
  const records = ids.map((blockId) => ({
    blockId,
    recordId: newRecordId(components.randomness),
    record: components.randomness.bytes(RECORD_BYTES),
  }));
  const changes = ids.map((id): ObjectChange => {
    const key = `${hexOf(components.randomness.bytes(8))}/${number}`;
    const namespace = `n${components.randomness.below(NAMESPACES)}`;
    return { namespace, key, next: objectOf(store, namespace, key, id) };
  });
  try {
    const appended = await appendRecords(store, records);
    const done = await new IndexBatch(components, {
      changes,
      guards: way.guards,
      rows: new Map(ids.map((id) => [id, undefined])),
      lost: new Map(),
      appended,
      olds: await readObjects(components.panda, changes, { consistency: 'eventual' }),
      named: new Map(),
    }).run();
    return changes.length - done.again.length - done.errors.size;
  } catch (error) {
    if (!isKind(error, 'retry', 'conflict')) throw error;
    return 0; // busy: a client would come again
  }
}

const objectOf = (store: VolumeStore, namespace: string, key: string, id: BlockId): ObjectChange['next'] => ({
  namespace,
  key,
  version: newObjectVersion(store.components.randomness),
  sizeBytes: RECORD_BYTES,
  blockBytes: store.components.settings.blockBytesMax,
  etag: id,
  createdAtMs: store.components.clock.nowMs(),
  metadata: undefined,
  blocks: [id],
  segments: undefined,
});

async function appendRecords(store: VolumeStore, records: Parameters<typeof appendGroup>[1]): Promise<Appended> {
  const group = await appendGroup(store, records, 1);
  const fresh = new Map<BlockId, FreshBlock>();
  for (const [i, { blockId, recordId, record }] of records.entries()) {
    const placed = group.placed[i];
    if (placed === undefined) continue;
    fresh.set(blockId, {
      id: blockId,
      cell: store.components.settings.cell,
      ...placed,
      recordId,
      recordBytes: record.length,
      plaintextBytes: record.length,
      wrappedBek: new Uint8Array(60),
      kekVersion: 1,
    });
  }
  return { group, fresh };
}
