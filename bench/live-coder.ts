// The Live Coder on one core: the store's own, from buckets in memory to durable chunks in a fresh embedded store
// (preset personal, directories as drives), beside what nobody is spared: the checksums, the encoding and the writing
// of the same columns. Processor time counts, of the whole process with its threads: it does not hang on what else the
// machine does, nor on the disk.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { codecOf } from '../lib/codec/codecs.ts';
import { allocateColumns } from '../lib/codec/group-memory.ts';
import { warmUp } from '../lib/codec/kernel/warm-up.ts';
import { writeDurably } from '../lib/drive/files.ts';
import type { EmbeddedStore } from '../lib/engine/wire/embedded/embedded-store.ts';
import { createEmbedded } from '../lib/engine/wire/embedded.ts';
import { turnOfTheLoop } from '../lib/engine/wire/system-kernel.ts';
import { layOut } from '../lib/format/placement.ts';
import { present } from '../lib/foundation/assert.ts';
import { systemRandomness } from '../lib/foundation/randomness.ts';
import { groupTargetBytes } from '../lib/live-coder/choose-group.ts';
import { LiveCoder } from '../lib/live-coder/live-coder.ts';
import { deadFromRow, deadKey } from '../lib/panda/rows/bucket-row.ts';
import { PRESETS, type Settings } from '../lib/settings/settings.ts';
import { type BucketContent, collectBucket } from '../lib/volume/read/collect-bucket.ts';
import { listVolumes, readBucket } from '../lib/volume/rows/read-rows.ts';
import { newRunId, takeRun } from '../lib/volume/runs/runs.ts';
import { type Benches, type Figure, machine, median } from './bench.ts';
import { clearBoundFolders, makeBoundFolders } from './bounds.ts';

const ROUNDS = Number(process.env['POCKETFUL_BENCH_ROUNDS'] ?? 5);
const MIB = 1024 * 1024;
/** Three groups and a little more: the last one is flushed, as at the end of a run. */
const ROUND_BYTES = 300 * MIB;
const OBJECT_BYTES = 3 * MIB;

export const benches: Benches = {
  'live-coder': async () => ({ bench: 'live-coder', machine: machine(), figures: await benchLiveCoder() }),
};

interface Round {
  readonly coder: Timed;
  readonly bound: Timed;
  /**
   * The bound without the checksums of records: the Live Coder combines those that were compared when the records were
   * read.
   */
  readonly unchecked: Timed;
  readonly bytes: number;
}

interface Timed {
  readonly cpuMs: number;
  readonly wallMs: number;
}

async function benchLiveCoder(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'pocketful-live-coder-'));
  const store = await createEmbedded(join(folder, 'store'), { settings: PRESETS.personal });
  try {
    const bound = join(folder, 'bound');
    makeBoundFolders(bound, codecOf(store.components.settings.warmCodec).dataColumns + 3);
    await warmUp([store.components.settings.warmCodec], turnOfTheLoop);
    const rounds: Round[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      await fillHot(store, round);
      const { contents, coder } = await hotBuckets(store);
      const bytes = contents.flatMap(({ records }) => records).reduce((sum, { record }) => sum + record.length, 0);
      const { settings } = store.components;
      const least = await timed(() => atLeast(bound, settings, contents, crc32));
      const unchecked = await timed(() => atLeast(bound, settings, contents, () => 0));
      const measured = await timed(async () => {
        for (const content of contents) await coder.push(content);
        await coder.flush();
      });
      clearBoundFolders(bound);
      if (round > 0) rounds.push({ coder: measured, bound: least, unchecked, bytes }); // the first round warms up
    }
    return figuresOf(rounds);
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function figuresOf(rounds: readonly Round[]): Figure[] {
  const speed = (of: (round: Round) => number): number => median(rounds.map((round) => round.bytes / 1000 / of(round)));
  const ratio = (of: (timed: Timed) => number): number => median(rounds.map((r) => of(r.bound) / of(r.coder)));
  return [
    {
      name: 'Live Coder, by processor time',
      value: speed(({ coder }) => coder.cpuMs),
      unit: 'MB/s',
      ratio: ratio(({ cpuMs }) => cpuMs),
    },
    { name: 'bound: CRC, encode and write, by processor time', value: speed(({ bound }) => bound.cpuMs), unit: 'MB/s' },
    {
      name: 'the same without CRC of records, by processor time',
      value: speed(({ unchecked }) => unchecked.cpuMs),
      unit: 'MB/s',
      ratio: median(rounds.map((r) => r.unchecked.cpuMs / r.coder.cpuMs)),
    },
    {
      name: 'Live Coder, by the clock',
      value: speed(({ coder }) => coder.wallMs),
      unit: 'MB/s',
      ratio: ratio(({ wallMs }) => wallMs),
    },
    { name: 'bound, by the clock', value: speed(({ bound }) => bound.wallMs), unit: 'MB/s' },
  ];
}

async function timed(work: () => Promise<void>): Promise<Timed> {
  const before = process.cpuUsage();
  const startMs = performance.now();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { cpuMs: (user + system) / 1000, wallMs: performance.now() - startMs };
}

/** Objects that do not compress and are all different, put as ever, and their volumes sealed. */
async function fillHot({ frontend, volumes }: EmbeddedStore, round: number): Promise<void> {
  for (let n = 0; n * OBJECT_BYTES < ROUND_BYTES; n++) {
    const bytes = systemRandomness.bytes(OBJECT_BYTES);
    await frontend.put({ namespace: 'bench', key: `${round}-${n}`, body: Readable.from([bytes]) });
  }
  await volumes.open.sealAll('hot');
}

/** All sealed hot buckets, taken under one run and read. */
async function hotBuckets({ volumes, components }: EmbeddedStore) {
  const { panda, settings } = components;
  const run = newRunId(components, 'encode');
  const contents: BucketContent[] = [];
  for (const volume of await listVolumes(panda, settings.cell)) {
    if (volume.class !== 'hot' || volume.state !== 'sealed') continue;
    const source = present(await takeRun(components, volume.id, run), 'nobody else runs here');
    for (const id of source.buckets) {
      const bucket = present(await readBucket(panda, settings.cell, id), 'a bucket of a volume has a row');
      const dead = deadFromRow(await panda.get(deadKey(settings.cell, id)));
      contents.push(await collectBucket(volumes, source, bucket, dead));
    }
  }
  return { contents, coder: new LiveCoder(volumes, run) };
}

let chunks = 0;

/** Records laid into groups as large as the Live Coder's, coded and written. */
async function atLeast(
  folder: string,
  settings: Settings,
  contents: readonly BucketContent[],
  checksum: (record: Uint8Array) => number,
): Promise<void> {
  const codec = codecOf(settings.warmCodec);
  const records = contents.flatMap((content) => content.records.map(({ record }) => record));
  const target = groupTargetBytes(settings);
  for (let from = 0; from < records.length; ) {
    let to = from;
    let bytes = 0;
    while (to < records.length && bytes < target) bytes += records[to++]?.length ?? 0;
    await writeGroup(folder, records.slice(from, to), codec, checksum);
    from = to;
  }
}

async function writeGroup(
  folder: string,
  records: readonly Uint8Array[],
  codec: ReturnType<typeof codecOf>,
  checksum: (record: Uint8Array) => number,
): Promise<void> {
  const layout = layOut(records, codec.dataColumns, new Array<number>(codec.dataColumns).fill(0));
  using group = allocateColumns(codec, Math.max(...layout.columnBytes));
  for (const [i, record] of records.entries()) {
    checksum(record);
    group.data[layout.column[i] as number]?.set(record, layout.offset[i] as number);
  }
  const parity = group.encode(layout.columnBytes);
  for (const column of parity) crc32(column);
  const data = group.data.map((column, i) => column.subarray(0, layout.columnBytes[i]));
  await Promise.all(
    [...data, ...parity].map((column, i) => writeDurably(join(folder, String(i), `group-${chunks++}`), [column])),
  );
}
