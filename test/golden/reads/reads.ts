// What is read of drives to bring back records, buckets and directories, and to look at a volume: every request with its range, and what comes of it,
// of small volumes with damage of every kind. What costs a request more, or asks another column, is seen here first.
import type { CodecName } from '../../../lib/codec/codec.ts';
import { codecShape } from '../../../lib/codec/shape.ts';
import { isPocketfulError } from '../../../lib/foundation/errors.ts';
import type { BlockId } from '../../../lib/foundation/ids.ts';
import type { BlockRow } from '../../../lib/panda/rows/block-row.ts';
import { deadFromRow, deadKey } from '../../../lib/panda/rows/bucket-row.ts';
import { damagePartition } from '../../../lib/panda/rows/damage-row.ts';
import type { VolumeRow } from '../../../lib/panda/rows/volume-row.ts';
import { lookAtVolume } from '../../../lib/volume/check/look.ts';
import type { LookOptions } from '../../../lib/volume/check/part-look.ts';
import { collectBucket } from '../../../lib/volume/read/collect-bucket.ts';
import { type Placed, readSpan, spansOf } from '../../../lib/volume/read/read-spans.ts';
import { unreadableRecords } from '../../../lib/volume/read/unreadable.ts';
import { type DamageFound, noteDamage } from '../../../lib/volume/rows/damage.ts';
import { flipped } from '../../volume/planted.ts';
import { ReadingWorld, type Stored } from '../../volume/reading-world.ts';
import { textOf } from '../seeded-rows.ts';

const LENGTHS = [700, 64, 3000, 1500, 40, 16, 512, 4000, 1234, 2222, 31];

interface Made {
  readonly world: ReadingWorld;
  readonly volume: VolumeRow;
  readonly buckets: readonly (readonly Stored[])[];
}

/** Volumes as they come to be. */
const MADE: Readonly<Record<string, (codec: CodecName) => Promise<Made>>> = {
  'an open volume': async (warm) => {
    const world = new ReadingWorld({ warm });
    const stored = [...(await world.append(LENGTHS)), ...(await world.append([900, 80]))];
    return { world, volume: await world.volumeOf(stored[0] as Stored), buckets: [stored] };
  },
  'a sealed volume of moved buckets': async (warm) => {
    const world = new ReadingWorld({ hot: 'replica-4', warm });
    const buckets = [await world.virtualBucket(LENGTHS), await world.virtualBucket([300, 5000, 20])];
    await world.move(buckets);
    buckets.push(await world.virtualBucket([1000]));
    await world.move(buckets.slice(2));
    const [stored] = buckets[0] as [Stored, ...Stored[]];
    await world.kill(stored.bucket, [0, 3]);
    await world.store.open.sealAll('warm');
    return { world, volume: await world.volumeOf(stored), buckets };
  },
};

/** On which columns, and what becomes of them. */
interface Damage {
  readonly columns: (data: number, parity: number) => readonly number[];
  readonly change?: (bytes: Uint8Array, name: string, column: number) => Uint8Array | undefined;
  readonly state?: 'lost' | 'full';
}

const isChunk = (name: string): boolean => /^\d/.test(name);
const last = (bytes: Uint8Array, back: number): Uint8Array => flipped(bytes, bytes.length - back, 3);
const zeroth = (): readonly number[] => [0];
const withParity = (data: number): readonly number[] => [0, data];
const parityOf = (data: number, parity: number): readonly number[] =>
  Array.from({ length: parity }, (_, i) => data + i);

const DAMAGES: Readonly<Record<string, Damage>> = {
  nothing: { columns: () => [] },
  'a drive away': { columns: zeroth, state: 'lost' },
  'a drive full': { columns: zeroth, state: 'full' },
  'two drives away': { columns: withParity, state: 'lost' },
  'all parity away': { columns: parityOf, state: 'lost' },
  'more away than may be': {
    columns: (data, parity) => Array.from({ length: parity + 1 }, (_, i) => data - 1 + i),
    state: 'lost',
  },
  'chunks gone': { columns: zeroth, change: (bytes, name) => (isChunk(name) ? undefined : bytes) },
  'all gone': { columns: withParity, change: () => undefined },
  'chunks cut': { columns: withParity, change: (bytes, name) => (isChunk(name) ? bytes.slice(0, 600) : bytes) },
  'all cut': { columns: (data) => [data - 1, data], change: (bytes) => bytes.slice(0, -9) },
  'too short for a header': { columns: (data) => [0, data], change: (bytes) => bytes.slice(0, 40) },
  'a payload wrong': { columns: zeroth, change: (bytes, name) => (isChunk(name) ? flipped(bytes, 300, 1) : bytes) },
  'a header wrong': { columns: withParity, change: (bytes) => flipped(bytes, 30, 2) },
  'a version to come': { columns: (data) => [data], change: (bytes) => flipped(bytes, 4, 1) },
  'directories wrong': { columns: parityOf, change: (bytes) => last(bytes, 8) },
  'one pack wrong': { columns: (data) => [data], change: (bytes, name) => (isChunk(name) ? bytes : last(bytes, 20)) },
  'all packs gone': {
    columns: (data, parity) => Array.from({ length: data + parity }, (_, i) => i),
    change: (bytes, name) => (isChunk(name) ? bytes : undefined),
  },
  'most gone': {
    columns: (_, parity) => Array.from({ length: parity + 1 }, (__, i) => i),
    change: (bytes, name) => (isChunk(name) ? undefined : bytes),
  },
};

async function outcome(what: () => Promise<unknown>): Promise<string> {
  try {
    const given = await what();
    return typeof given === 'string' ? given : (textOf(given) ?? 'nothing');
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    const { drives, broken } = error as { drives?: unknown; broken?: unknown };
    return `${error.kind} ${error.code} ${error.message} ${textOf([drives, broken])}`;
  }
}

/** The requests of what runs, as `NAME OFFSET+LENGTH of COLUMNS`, and what it gives. */
class Told {
  readonly lines: string[] = [];
  readonly #asked: [column: number, what: string][] = [];

  constructor(world: ReadingWorld, volume: VolumeRow) {
    for (const [drive, faulty] of world.drives.entries()) {
      const column = volume.extents.findIndex((extent) => extent.drive === drive);
      const { read, list } = faulty;
      faulty.read = (at, name, range, signal) => {
        this.#asked.push([column, `${name}${range === undefined ? '' : ` ${range.offset}+${range.length}`}`]);
        return read.call(faulty, at, name, range, signal);
      };
      faulty.list = (at, signal) => {
        this.#asked.push([column, 'list']);
        return list.call(faulty, at, signal);
      };
    }
  }

  async tell(name: string, what: () => Promise<unknown>): Promise<void> {
    const given = await outcome(what);
    const asked: { columns: number[]; what: string }[] = [];
    for (const [column, what] of this.#asked.splice(0)) {
      const before = asked.at(-1);
      if (before?.what === what) before.columns.push(column);
      else asked.push({ columns: [column], what });
    }
    const text = asked.map(({ columns, what }) => `${what} of ${columns.join(' ')}`).join(', ');
    this.lines.push(`${name}: ${text === '' ? '' : `${text}; `}${given}`);
  }
}

const sumOf = (bytes: Uint8Array | undefined): number | undefined =>
  bytes?.reduce((sum, byte) => (sum * 31 + byte) >>> 0, 7);

async function tellAll(
  { world, volume, buckets }: Made,
  columnOf: ReadonlyMap<Stored, number>,
): Promise<readonly string[]> {
  const told = new Told(world, volume);
  const stored = buckets.flat();
  const store = world.restart();
  const { records, directories } = store;
  const repairs: unknown[] = [];
  records.onRepair = ({ column, columnsRead }) => repairs.push([column, ...columnsRead]);
  const some = [0, 1].flatMap((column) => stored.find((one) => columnOf.get(one) === column) ?? []);
  for (const one of [...some, ...some, stored.at(-1) as Stored])
    await told.tell(`record ${one.slot} in ${columnOf.get(one)}`, async () =>
      (await records.read(one)).length === one.recordBytes ? 'whole' : 'cut',
    );
  await told.tell('so far', async () => ({ ...records.stats, repairs }));
  await told.tell('noted', async () =>
    world.panda
      .snapshot()
      .filter(({ partition }) => partition === damagePartition('c0'))
      .map(({ sort, attributes }) => [sort, attributes]),
  );
  const again = world.restart();
  const placed: Placed<number>[] = [];
  for (const item of stored) {
    const place = await again.records.placeOf(item);
    if (place !== undefined) placed.push({ item: item.slot, place });
  }
  await told.tell('places', async () => placed.length);
  for (const span of spansOf(placed).slice(0, 3))
    await told.tell(`span of ${span.records.length}`, async () => sumOf(await readSpan(again, span)));
  const collector = world.restart();
  for (const of of buckets) {
    const { bucket } = of[0] as Stored;
    const row = await world.bucketRow(bucket);
    const dead = deadFromRow(await world.panda.get(deadKey('c0', bucket)));
    for (const time of ['collected', 'again'])
      await told.tell(time, async () => {
        const { records: all } = await collectBucket(collector, volume, row, dead);
        return all.map(({ slot, record }) => `${slot}:${record.length}`).join(' ');
      });
    const part = await world
      .restart()
      .directories.bucketPart(volume, row, 'one bucket')
      .catch(() => undefined);
    await told.tell('its directory', async () => [
      [...(part?.entries ?? [])].length,
      part?.lost?.entries && [...part.lost.entries].map(([column, { code }]) => [column, code]),
    ]);
  }
  const first = stored[0] as Stored;
  const row = await world.bucketRow(first.bucket);
  const { seq: sequence, token } = row.move > 0 ? row : first.hint;
  for (const time of ['lengths', 'again'])
    await told.tell(time, () => directories.columnBytes({ volume, sequence, token }).then((bytes) => bytes?.join()));
  await told.tell('a group', async () => (await world.restart().directories.group(volume, sequence, token)).length);
  const blocks = stored.map((one) => ({ ...one, id: one.recordId as unknown as BlockId }) as unknown as BlockRow);
  await told.tell('unreadable', async () =>
    (await unreadableRecords(world.restart(), blocks)).map((one) => blocks.indexOf(one)).sort((a, b) => a - b),
  );
  await tellLooks(told, world, volume);
  return told.lines;
}

const LOOKS: readonly LookOptions[] = [
  {},
  { read: true },
  { readColumns: new Set([0, 3]) },
  { read: true, afterSeq: 1 },
  { read: true, skipDirectories: true },
];

/** What looks find, and what they make of rows: those of the second one, one of a generation before, one of what need not exist. */
async function tellLooks(told: Told, world: ReadingWorld, volume: VolumeRow): Promise<void> {
  const found: DamageFound[] = [];
  const look = async (options: LookOptions): Promise<unknown> => {
    const seen = await lookAtVolume(world.restart(), volume, options);
    if (seen === undefined) return 'gone';
    if (options.read === true && found.length === 0) found.push(...seen.found);
    const {
      damage,
      found: own,
      healed,
      spare,
      lostParts,
      groups,
      objects,
      bytes,
      cutAfterSeq,
      unread,
      unlisted,
    } = seen;
    const shown = (of: readonly DamageFound[]): string =>
      of.map(({ column, part, kind, reason }) => `${column}/${part} ${kind} ${reason}`).join(', ');
    const holds = shown(damage);
    const sums = [groups, objects, bytes, unread, unlisted, seen.strays.objects, seen.strays.bytes].join(' ');
    const end = `spare ${spare}, lost ${lostParts}, pending ${textOf(seen.pendingPack)}, cut ${cutAfterSeq}, sums ${sums}`;
    return `found ${shown(own)}; ${holds === shown(own) ? 'holds' : holds}; healed ${shown(healed)}; ${end}`;
  };
  for (const options of LOOKS) await told.tell(`look ${textOf(options)}`, () => look(options));
  const before: DamageFound = {
    volume: volume.id,
    generation: 1,
    column: 0,
    part: 9,
    kind: 'wrong',
    reason: 'CHUNK_MALFORMED',
  };
  await noteDamage(world.components, volume, [...found, before, { ...before, generation: 7, part: 1 }]);
  for (const options of LOOKS.slice(0, 2)) await told.tell(`noted, look ${textOf(options)}`, () => look(options));
}

async function linesOf(made: Made, { columns, change, state }: Damage): Promise<readonly string[]> {
  const { dataColumns, parityColumns } = codecShape(made.volume.codec);
  const columnOf = new Map<Stored, number>();
  for (const one of made.buckets.flat())
    columnOf.set(one, (await made.world.store.records.placeOf(one))?.column as number);
  for (const column of columns(dataColumns, parityColumns)) {
    if (column < 0 || column >= dataColumns + parityColumns) continue;
    if (change !== undefined)
      await made.world.tamper(made.volume, column, (bytes, name) => change(bytes, name, column));
    if (state !== undefined) made.world.driveOf(made.volume, column).state = state;
  }
  return tellAll(made, columnOf);
}

/** Of wide codes, and of copies, only what they do otherwise. */
const FEW = ['nothing', 'a drive away', 'two drives away', 'a payload wrong', 'chunks cut', 'most gone'];
const isNarrow = (codec: CodecName): boolean => codec === 'rs-6-3' || codec === 'xor-2-1';
const CODECS: readonly CodecName[] = ['rs-6-3', 'xor-2-1', 'lrc-12-2-2', 'replica-4'];

export const READS: Readonly<Record<string, () => Promise<readonly string[]>>> = Object.fromEntries(
  CODECS.flatMap((codec) =>
    Object.entries(MADE).flatMap(([made, make]) =>
      Object.entries(DAMAGES)
        .filter(([name]) => isNarrow(codec) || FEW.includes(name))
        .map(([name, damage]) => [`${codec}, ${made}, ${name}`, async () => linesOf(await make(codec), damage)]),
    ),
  ),
);
