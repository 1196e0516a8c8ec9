// What drives hold that rows do not know, with what may happen meanwhile: chunks of a newer Panda, copies, foreign files, late puts.
import type { ZoneRef } from '../../../lib/drive/drive.ts';
import {
  CHUNK_HEADER_BYTES,
  type ChunkHeader,
  chunkName,
  encodeChunkHeader,
  parseChunkHeader,
} from '../../../lib/format/chunk.ts';
import type { StoreId, VolumeId } from '../../../lib/foundation/ids.ts';
import { QUARANTINE_MS } from '../../../lib/limits/volume.ts';
import { quarantineAttributes, quarantineKey } from '../../../lib/panda/rows/drives/quarantine-row.ts';
import { storeAttributes, storeKey } from '../../../lib/panda/rows/store-row.ts';
import type { VolumeRow } from '../../../lib/panda/rows/volume-row.ts';
import { appendsIn, lookAtDrives, refuseIfBehind } from '../../../lib/volume/behind/newer-chunks.ts';
import { raiseAboveDrives } from '../../../lib/volume/behind/raise-above-drives.ts';
import { quarantineLeftMs, restartQuarantine, sweepStrays } from '../../../lib/volume/behind/sweep.ts';
import { listVolumes } from '../../../lib/volume/rows/read-rows.ts';
import type { Process, World } from '../../store/harness.ts';
import { told } from '../told.ts';
import { OPEN, SEALED, ZONES } from './changes.ts';
import type { Step } from './lines.ts';
import { storeWith, volumeIn, withStrays } from './world.ts';

interface Found {
  readonly volume: VolumeRow;
  readonly header: ChunkHeader;
  readonly bytes: Uint8Array;
}

/** A chunk of the open volume, as it lies on a column. */
async function aChunk(world: World, column = 0): Promise<Found> {
  const volume = await volumeIn(world, 'open');
  const { drive, zone, zoneGeneration: generation } = volume.extents[column] as VolumeRow['extents'][number];
  const [first] = (await world.drives[drive]?.list({ zone, generation })) ?? [];
  const bytes = (await world.drives[drive]?.read({ zone, generation }, first?.name ?? '')) as Uint8Array;
  return { volume, bytes, header: parseChunkHeader(bytes) };
}

const nameOf = ({ sequence, token }: ChunkHeader): string => chunkName(sequence, token);

/** The chunk with another header; under the name that is its own, or another one. */
async function plant(
  world: World,
  drive: number,
  at: ZoneRef,
  { bytes, header }: Found,
  change: Partial<ChunkHeader> = {},
  name = nameOf({ ...header, ...change }),
): Promise<void> {
  const own = { ...header, ...change };
  await world.drives[drive]?.append(at, name, [encodeChunkHeader(own), bytes.subarray(CHUNK_HEADER_BYTES)]);
}

/** Each in a zone of its own that no row has. */
async function withForeign(): Promise<World> {
  const world = await storeWith(5);
  const one = await aChunk(world);
  const { header, bytes } = one;
  const at = (zone: number): ZoneRef => ({ zone, generation: 1 });
  await plant(world, 0, at(50), one);
  await plant(world, 1, at(51), one, { generation: header.generation + 1 });
  await plant(world, 2, at(52), one, { token: header.token + 900 });
  await plant(world, 3, at(53), one, { volumeId: 'ffffffffffffffff' as VolumeId });
  await plant(world, 4, at(54), one, { storeId: 'f'.repeat(32) as StoreId, token: header.token + 900 });
  await plant(world, 5, at(55), one, { token: header.token + 900 }, chunkName(header.sequence, header.token + 901));
  await plant(world, 5, at(56), one, { token: header.token + 900 }, chunkName(header.sequence + 1, header.token + 900));
  await plant(world, 4, at(57), one, { sequence: header.sequence + 70 });
  await plant(world, 3, at(58), one, { generation: header.generation + 1 }, 'x');
  const rotten = bytes.slice();
  rotten.fill(7, 20, 40);
  await world.drives[2]?.append(at(59), '1-1', [rotten]);
  await world.drives[1]?.append(at(60), '1-1', [bytes.subarray(0, 30)]);
  for (const [zone, junk] of [
    [61, 3],
    [62, 4],
  ] as const) {
    for (let i = 1; i <= junk; i++) await world.drives[0]?.append(at(zone), `${i}-1`, [rotten]);
    await plant(world, 0, at(zone), one, { sequence: 9, token: header.token + 900 });
  }
  return world;
}

/** More zones than are looked into, each with a chunk that only a newer Panda knows. */
async function withManyForeign(): Promise<World> {
  const world = await storeWith(1);
  const one = await aChunk(world);
  for (let zone = 100; zone < 166; zone++)
    await plant(world, 2, { zone, generation: 1 }, one, { token: one.header.token + 900 });
  return world;
}

/** In the extents of the open volume: appends that its row does not know, and what only looks like one. */
async function withLaterAppends(): Promise<World> {
  const world = await storeWith(5);
  const { volume } = await aChunk(world);
  const changes: readonly Partial<ChunkHeader>[] = [
    { token: volume.token + 1 },
    { token: volume.token + 1, volumeId: 'ffffffffffffffff' as VolumeId },
    { token: volume.token + 1, generation: volume.generation + 1 },
  ];
  for (const [column, { drive, zone, zoneGeneration: generation }] of volume.extents.entries())
    await plant(world, drive, { zone, generation }, await aChunk(world, column), changes[column % changes.length]);
  return world;
}

async function withStoreRow(world: World): Promise<World> {
  const { storeId, settings } = world.start({ othersDead: true }).components;
  const row = { storeId, settings, drives: [], createdAtMs: 0 };
  await world.panda.transact([{ kind: 'put', ...storeKey, attributes: storeAttributes(row) }]);
  return world;
}

/** Strays, of which some are in quarantine: over, not yet, begun by a clock that had jumped, or with nothing there any more. */
async function withQuarantine(): Promise<World> {
  const world = await withStrays();
  const nowMs = world.clock.nowMs();
  const since = {
    '1/41/1': nowMs - QUARANTINE_MS,
    '2/42/1': nowMs + 3 * QUARANTINE_MS,
    '3/44/1': nowMs - QUARANTINE_MS,
  };
  const rows = { ...since, '3/45/2': nowMs - QUARANTINE_MS + 1, '4/46/1': nowMs };
  for (const [text, sinceMs] of Object.entries(rows)) {
    const [drive = 0, zone = 0, generation = 0] = text.split('/').map(Number);
    const attributes = quarantineAttributes({ sinceMs });
    await world.panda.transact([{ kind: 'put', ...quarantineKey(drive, { zone, generation }), attributes }]);
  }
  return world;
}

const look: Step['act'] = async ({ components }) => [
  await lookAtDrives(components),
  await told(() => refuseIfBehind(components)),
];

async function leftOf({ components }: Process, world: World): Promise<unknown> {
  const volumes = await listVolumes(world.panda, 'c0');
  return Promise.all(volumes.map(({ extents }) => quarantineLeftMs(components, extents)));
}

export const BEHIND_STEPS: Readonly<Record<string, Step>> = {
  'a look at chunks that no row knows': {
    prepare: withForeign,
    meanwhile: { ...OPEN, flipped: SEALED.flipped, 'zones gone on': ZONES['zones gone on'] },
    act: look,
  },
  'a look at more zones than it looks into': { prepare: withManyForeign, meanwhile: {}, act: look },
  'a look at appends that no row knows': {
    prepare: withLaterAppends,
    meanwhile: { leased: OPEN.leased, gone: OPEN.gone },
    act: look,
  },
  'rows that are raised above chunks that no row knows': {
    prepare: async () => withStoreRow(await withForeign()),
    meanwhile: { leased: OPEN.leased, sealed: OPEN.sealed, 'zones gone on': ZONES['zones gone on'] },
    act: async (p, world) => [await raiseAboveDrives(p.components), await leftOf(p, world), await look(p, world)],
  },
  'rows that are raised above appends that no row knows': {
    prepare: async () => withStoreRow(await withLaterAppends()),
    meanwhile: { leased: OPEN.leased, sealed: OPEN.sealed },
    act: async (p, world) => [
      await appendsIn(p.components, await volumeIn(world, 'open')),
      await raiseAboveDrives(p.components, 7),
      await leftOf(p, world),
      await look(p, world),
    ],
  },
  'strays that are kept for seven days': {
    prepare: withStrays,
    meanwhile: { 'zones gone on': ZONES['zones gone on'] },
    act: async ({ components, volumes }, world) => {
      const reports = [await sweepStrays(volumes)];
      for (const ms of [QUARANTINE_MS - 1, 1, 1]) {
        world.clock.advance(ms);
        reports.push(await sweepStrays(volumes));
      }
      return [reports, await lookAtDrives(components)];
    },
  },
  'strays of which some are in quarantine': {
    prepare: withQuarantine,
    meanwhile: { 'zones gone on': ZONES['zones gone on'] },
    act: async ({ components, volumes }) => {
      const first = await sweepStrays(volumes);
      await restartQuarantine(components);
      return [first, await sweepStrays(volumes)];
    },
  },
};
