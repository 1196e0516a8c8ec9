// A drive is lost, and repaired. What is read for a byte made again, and how evenly drives are read and written, by
// counts on memory drives (20 of them, the same for everybody); how fast it goes, on directories, beside reading the
// same columns, the code, the checksum and durable writing of the same bytes.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { type CodecName, parityBytes } from '../lib/codec/codec.ts';
import { codecOf } from '../lib/codec/codecs.ts';
import { warmUp } from '../lib/codec/kernel/warm-up.ts';
import { codecShape } from '../lib/codec/shape.ts';
import type { Drive } from '../lib/drive/drive.ts';
import { readFileRange, writeDurably } from '../lib/drive/files.ts';
import { changeDrive } from '../lib/engine/drives/change-drive.ts';
import type { EmbeddedStore } from '../lib/engine/wire/embedded/embedded-store.ts';
import { createEmbedded } from '../lib/engine/wire/embedded.ts';
import { turnOfTheLoop } from '../lib/engine/wire/system-kernel.ts';
import { CHUNK_HEADER_BYTES, parseChunkHeader } from '../lib/format/chunk.ts';
import { parseChunkName } from '../lib/format/object-names.ts';
import { systemRandomness } from '../lib/foundation/randomness.ts';
import { encodeHot } from '../lib/live-coder/encode-hot.ts';
import { type Settings, settingsOf } from '../lib/settings/settings.ts';
import { freeDiscards } from '../lib/volume/repair/discards.ts';
import { type RepairReport, repairStore } from '../lib/volume/repair/repair-store.ts';
import { listVolumes } from '../lib/volume/rows/read-rows.ts';
import { freeTrash } from '../lib/volume/runs/free.ts';
import { VolumeStore } from '../lib/volume/volume-store.ts';
import { CountedDrive } from '../test/repair/counted-drive.ts';
import { mark, wipe } from '../test/repair/drives.ts';
import { World } from '../test/store/harness.ts';
import { incompressible } from '../test/store/sealed-overhead.ts';
import { type Benches, elapsedMs, type Figure, machine, median } from './bench.ts';
import { clearBoundFolders, makeBoundFolders } from './bounds.ts';

const DAY_MS = 86_400_000;
const KIB = 1024;
const MIB = KIB * KIB;
const DRIVES = 20;
const CODES = ['lrc-12-2-2', 'rs-6-3', 'xor-2-1'] as const;
/** So many that a drive has a hundred columns or more. */
const VOLUMES = 80;

export const benches: Benches = {
  'repair-counts': async () => ({
    bench: 'repair-counts',
    machine: machine(),
    figures: (await Promise.all(CODES.map(countsOf))).flat(),
  }),
  'repair-speed': async () => ({ bench: 'repair-speed', machine: machine(), figures: await speedOf() }),
};

function small(warmCodec: Settings['warmCodec']): Settings {
  return settingsOf('personal', {
    preset: 'custom',
    warmCodec,
    blockBytesMax: 4 * KIB,
    extentBytes: 256 * KIB,
    bucketBytes: 16 * KIB,
    groupBytesMin: 16 * KIB * codecShape(warmCodec).dataColumns,
    trashGraceMs: 0,
  });
}

async function countsOf(warmCodec: (typeof CODES)[number]): Promise<Figure[]> {
  const settings = small(warmCodec);
  const world = new World(7, settings, DRIVES);
  const p = world.start();
  const volumeBytes = settings.extentBytes * codecShape(warmCodec).dataColumns;
  for (let file = 0, bytes = 0; bytes < VOLUMES * volumeBytes; file++) {
    const body = incompressible(volumeBytes / 2, file);
    bytes += body.length;
    await p.frontend.put({ namespace: 'bench', key: `f${file}`, body: Readable.from([body]) });
    if (file % 8 < 7) continue;
    await p.volumes.open.sealAll('hot');
    await encodeHot(p.volumes, { force: true });
    await freeTrash(p.volumes);
  }
  await p.volumes.open.sealAll('hot');
  await encodeHot(p.volumes, { force: true, flush: true });
  await p.volumes.open.sealAll('warm');
  await freeTrash(p.volumes);
  await wipe(world, 3);
  await mark(world, 3, 'lost');
  const counted = world.drives.map((drive) => new CountedDrive(drive));
  const drives = counted.map(({ drive }) => drive);
  const report = await repairStore(new VolumeStore({ ...world.start({ othersDead: true }).components, drives }));
  whole(report);
  const others = counted.filter((_, drive) => drive !== 3);
  const sum = (of: (one: CountedDrive) => number): number => others.reduce((all, one) => all + of(one), 0);
  const most = (of: (one: CountedDrive) => number): number => Math.max(...others.map(of)) / (sum(of) / others.length);
  const bound = columnsRead(warmCodec);
  const readEach = sum(({ readBytes }) => readBytes) / sum(({ writtenBytes }) => writtenBytes);
  const name = `${warmCodec}, ${report.volumes} columns`;
  return [
    { name: `${name}: bytes read for a byte made again`, value: readEach, unit: 'B', ratio: readEach / bound },
    { name: `${name}: the code's own, mean of its columns`, value: bound, unit: 'B' },
    {
      name: `${name}: the most written to a drive, of its even share`,
      value: most((one) => one.writtenBytes),
      unit: '',
    },
    { name: `${name}: the most read from a drive, of its even share`, value: most((one) => one.readBytes), unit: '' },
  ];
}

function whole({ lost, left }: RepairReport): void {
  if (lost.length + left.length > 0) throw new Error(`the repair left ${JSON.stringify({ lost, left })}`);
}

function readsOf(codec: CodecName, column: number): readonly number[] {
  const plan = codecOf(codec).repairPlan([column], [column]);
  if (!plan.ok) throw new Error(plan.reason);
  return plan.reads;
}

/** Mean over all columns of how many others give it back. */
function columnsRead(codec: CodecName): number {
  const { dataColumns, parityColumns } = codecShape(codec);
  const columns = Array.from({ length: dataColumns + parityColumns }, (_, column) => column);
  const needs = columns.map((column) => readsOf(codec, column).length);
  return needs.reduce((all, one) => all + one, 0) / columns.length;
}

const ROUNDS = Number(process.env['POCKETFUL_BENCH_ROUNDS'] ?? 3);
const SPEED_BYTES = 480 * MIB;
const OBJECT_BYTES = 4 * MIB;

/** One column after the other of full `personal` volumes, in a store of directories. */
async function speedOf(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'pocketful-repair-'));
  const settings = settingsOf('personal', { trashGraceMs: 0 });
  const store = await createEmbedded(join(folder, 'store'), { settings });
  try {
    const { frontend, volumes, components } = store;
    await warmUp([settings.warmCodec], turnOfTheLoop);
    for (let n = 0; n * OBJECT_BYTES < SPEED_BYTES; n++)
      await frontend.put({
        namespace: 'bench',
        key: `${n}`,
        body: Readable.from([systemRandomness.bytes(OBJECT_BYTES)]),
      });
    await volumes.open.sealAll('hot');
    await encodeHot(volumes, { force: true, flush: true });
    await volumes.open.sealAll('warm');
    await freeTrash(volumes);
    const bound = join(folder, 'bound');
    makeBoundFolders(bound, 1);
    const rounds: Awaited<ReturnType<typeof repairOne>>[] = [];
    for (let drive = 0; rounds.length < ROUNDS && drive < components.drives.length; drive++) {
      const round = await repairOne(store, drive, bound);
      clearBoundFolders(bound);
      if (round.bytes > 0) rounds.push(round);
    }
    const figure = (name: string, msOf: (round: (typeof rounds)[number]) => number): Figure => ({
      name,
      value: median(rounds.map((round) => round.bytes / 1000 / msOf(round))),
      unit: 'MB/s',
      ratio: median(rounds.map((round) => round.boundMs / msOf(round))),
    });
    return [
      figure('repair of a lost drive, by the clock', ({ repairMs }) => repairMs),
      figure('with what follows after the grace: all of it read back', ({ repairMs, backMs }) => repairMs + backMs),
    ];
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Chunk {
  /** Of the columns that give it back. */
  readonly paths: readonly string[];
  readonly columns: readonly number[];
  readonly column: number;
  readonly codec: CodecName;
}

/** Everything on the drive is gone, and made again on others. */
async function repairOne({ volumes, components }: EmbeddedStore, id: number, bound: string) {
  const chunks = await chunksOn(volumes, id);
  let bytes = 0;
  const boundMs = await elapsedMs(async () => {
    for (const [i, chunk] of chunks.entries()) bytes += await remade(chunk, join(bound, '0', String(i)));
  });
  const drive = components.drives[id] as Drive;
  for (const zone of await drive.zones()) await drive.erase(zone);
  await changeDrive(volumes, id, { state: 'lost' });
  // What was replaced waits for its grace, as in every store; what follows then is measured by itself.
  const settings = { ...components.settings, trashGraceMs: DAY_MS };
  const waiting = new VolumeStore({ ...volumes.components, settings });
  const repairMs = await elapsedMs(async () => whole(await repairStore(waiting)));
  const backMs = await elapsedMs(() => freeDiscards(volumes));
  await changeDrive(volumes, id, { state: 'active' });
  return { boundMs, repairMs, backMs, bytes };
}

async function chunksOn({ components }: VolumeStore, id: number): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  const pathOf = (
    { drive, zone, zoneGeneration }: { drive: number; zone: number; zoneGeneration: number },
    name: string,
  ) => join(components.drives[drive]?.label ?? '', String(zone), String(zoneGeneration), name);
  for (const { extents, codec, state } of await listVolumes(components.panda, components.settings.cell)) {
    const column = extents.findIndex(({ drive }) => drive === id);
    const extent = extents[column];
    if (extent === undefined || state !== 'sealed') continue;
    const columns = readsOf(codec, column);
    const listed = await components.drives[id]?.list({ zone: extent.zone, generation: extent.zoneGeneration });
    for (const { name } of listed ?? [])
      if (parseChunkName(name) !== undefined)
        chunks.push({
          column,
          codec,
          columns,
          paths: columns.map((one) => pathOf(extents[one] as typeof extent, name)),
        });
  }
  return chunks;
}

/** The same columns read, decoded, checked and written durably. */
async function remade({ paths, columns, column, codec }: Chunk, to: string): Promise<number> {
  const objects = await Promise.all(paths.map((path) => readFileRange(path)));
  const { columnBytes, columnCrcs } = parseChunkHeader(objects[0] as Uint8Array);
  const there = new Array<Uint8Array | null>(columnBytes.length).fill(null);
  for (const [i, one] of columns.entries())
    there[one] = (objects[i] as Uint8Array).subarray(
      CHUNK_HEADER_BYTES,
      CHUNK_HEADER_BYTES + (columnBytes[one] as number),
    );
  const length = parityBytes(Math.max(...columnBytes));
  const [padded] = codecOf(codec).reconstruct(there, [column], length);
  const made = (padded as Uint8Array).subarray(0, columnBytes[column]);
  if (crc32(made) !== columnCrcs[column]) throw new Error('the bound made other bytes');
  await writeDurably(to, [made]);
  return made.length;
}
