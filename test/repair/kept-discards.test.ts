// Extents that a repair has replaced: which are kept, why and for how long; and what is left of one that is erased.
import { expect, it } from 'vitest';
import { FaultyDrive } from '../../lib/drive/faulty-drive.ts';
import { scriptedPlan } from '../../lib/foundation/faults.ts';
import type { RunId, VolumeId } from '../../lib/foundation/ids.ts';
import { QUARANTINE_MS } from '../../lib/limits/volume.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { type DamageRow, damageAttributes, damageKey } from '../../lib/panda/rows/damage-row.ts';
import { type DiscardRow, discardAttributes, discardKey } from '../../lib/panda/rows/drives/discard-row.ts';
import { quarantineAttributes, quarantineKey } from '../../lib/panda/rows/drives/quarantine-row.ts';
import { extentText, replacementText, type VolumeRow, volumeKey } from '../../lib/panda/rows/volume-row.ts';
import { type ZoneState, zoneAttributes, zoneKey } from '../../lib/panda/rows/zone-row.ts';
import { type DiscardOptions, freeDiscards } from '../../lib/volume/repair/discards.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { encodedWorld, volumeIn } from '../golden/meanwhile/world.ts';
import type { World } from '../store/harness.ts';
import { flipped, type PlantedPlace, placesIn, replace } from '../volume/planted.ts';
import { mark } from './drives.ts';

const CELL = 'c0';
const GRACE_MS = 10_000;
const AT = { drive: 5, zone: 40, zoneGeneration: 2 };

const prepared = encodedWorld(4);

interface Facts {
  readonly world: World;
  readonly volume: VolumeRow;
  readonly nowMs: number;
}

const write = ({ world }: Facts, ...writes: Write[]): Promise<void> => world.panda.transact(writes);

const zoneIs = (facts: Facts, state: ZoneState, generation: number): Promise<void> =>
  write(facts, {
    kind: 'put',
    ...zoneKey(AT.drive, AT.zone),
    attributes: zoneAttributes({ generation, state, volume: facts.volume.id }),
  });

const volumeHas = ({ world, volume }: Facts, set: Record<string, string | number | string[]>): Promise<void> =>
  world.panda.transact([{ kind: 'update', ...volumeKey(CELL, volume.id), set }]);

const damageOf = (facts: Facts, changes: Partial<DamageRow>): Promise<void> => {
  const { id: volume, generation } = facts.volume;
  const base = {
    volume,
    generation,
    column: 1,
    part: 1,
    kind: 'missing',
    sinceMs: 0,
    reason: 'CHUNK_MISSING',
  } as const;
  const row = { ...base, ...changes };
  return write(facts, { kind: 'put', ...damageKey(CELL, row), attributes: damageAttributes(row) });
};

const objectOf = async ({ world, volume }: Facts, column: number): Promise<PlantedPlace> => {
  const places = await placesIn(world);
  return places.find((one) => one.volume.id === volume.id && one.column === column) as PlantedPlace;
};

const gone = async (facts: Facts, column: number): Promise<void> =>
  replace(facts.world, await objectOf(facts, column), undefined);

const rotten = async (facts: Facts, column: number): Promise<void> => {
  const place = await objectOf(facts, column);
  return replace(facts.world, place, flipped(place.bytes, place.bytes.length >> 1, 1));
};

/** A world with one such extent, and what is true of it; what a pass says, and what is left of the extent. */
async function pass(
  change: (facts: Facts) => Promise<unknown> = async () => undefined,
  own: (facts: Facts) => Partial<DiscardRow> = () => ({}),
  options?: DiscardOptions,
) {
  const world = (await prepared).clone();
  const volume = await volumeIn(world, 'sealed');
  const facts = { world, volume, nowMs: world.clock.nowMs() };
  const discard: DiscardRow = { ...AT, volume: volume.id, column: 1, sinceMs: facts.nowMs - GRACE_MS, ...own(facts) };
  await zoneIs(facts, 'used', AT.zoneGeneration);
  await write(facts, { kind: 'put', ...discardKey(discard), attributes: discardAttributes(discard) });
  await world.drives[AT.drive]?.append({ zone: AT.zone, generation: AT.zoneGeneration }, '1-1', [new Uint8Array(9)]);
  await change(facts);
  return { ...facts, discard, ...(await again(world, options)) };
}

async function again(
  world: World,
  options?: DiscardOptions,
  drives = world.drives as VolumeStore['components']['drives'],
) {
  const { components } = world.start({ othersDead: true });
  const store = new VolumeStore({
    ...components,
    drives,
    settings: { ...components.settings, trashGraceMs: GRACE_MS },
  });
  const { kept, ...counts } = await freeDiscards(store, options);
  const rowOf = (key: { partition: string; sort: string }) =>
    world.panda.snapshot().find(({ partition, sort }) => partition === key.partition && sort === key.sort)?.attributes;
  const objects = await world.drives[AT.drive]?.list({ zone: AT.zone, generation: AT.zoneGeneration });
  return {
    counts,
    kept,
    left: {
      zone: rowOf(zoneKey(AT.drive, AT.zone)),
      row: rowOf(discardKey(AT)) !== undefined,
      objects: objects?.length,
    },
  };
}

const NONE = { freedZones: 0, givenUpZones: 0 };
const FREED = {
  counts: { ...NONE, freedZones: 1 },
  kept: [],
  left: { zone: { g: 3, s: 'free' }, row: false, objects: 0 },
};
const heldBy = (volume: VolumeRow, generation = 2) => ({ g: generation, s: 'used', v: volume.id });

it('one whose grace is over, and without which the volume is whole, is erased; of it no row is left', async () => {
  expect(await pass()).toMatchObject(FREED);
});

it.each<[string, number, number, string | undefined]>([
  ['its grace', GRACE_MS - 1, 0, 'for another 1 s'],
  ['its grace, in whole seconds', GRACE_MS - 1001, 0, 'for another 2 s'],
  ['all of its grace', 0, 0, 'for another 10 s'],
  ['its quarantine', GRACE_MS, 1, 'for another 1 s'],
  ['the longer of both', 0, 12_345, 'for another 13 s'],
])('one is kept for %s', async (_, agoMs, quarantineMs, text) => {
  const quarantined = (facts: Facts) =>
    write(facts, {
      kind: 'put',
      ...quarantineKey(AT.drive, { zone: AT.zone, generation: AT.zoneGeneration }),
      attributes: quarantineAttributes({ sinceMs: facts.nowMs - QUARANTINE_MS + quarantineMs }),
    });
  const seen = await pass(quarantineMs > 0 ? quarantined : undefined, ({ nowMs }) => ({ sinceMs: nowMs - agoMs }));
  expect(seen).toMatchObject({ counts: NONE, left: { zone: heldBy(seen.volume), row: true, objects: 1 } });
  expect(seen.kept).toEqual([{ discard: seen.discard, reason: { code: 'VOLUME_IN_GRACE', text } }]);
});

it('whoever does not wait for the grace waits for the quarantine', async () => {
  const since = ({ nowMs }: Facts) => ({ sinceMs: nowMs });
  expect(await pass(undefined, since, { ignoreGrace: true })).toMatchObject(FREED);
  const quarantined = (facts: Facts) =>
    write(facts, {
      kind: 'put',
      ...quarantineKey(AT.drive, { zone: AT.zone, generation: AT.zoneGeneration }),
      attributes: quarantineAttributes({ sinceMs: facts.nowMs }),
    });
  const { kept } = await pass(quarantined, since, { ignoreGrace: true });
  expect(kept.map(({ reason }) => reason.text)).toEqual([`for another ${QUARANTINE_MS / 1000} s`]);
});

it.each<[string, (facts: Facts) => Promise<unknown>]>([
  ['its own', (facts) => volumeHas(facts, { x: facts.volume.extents.map((one, i) => extentText(i === 1 ? AT : one)) })],
  [
    'those of a flip',
    (facts) => volumeHas(facts, { s: 'draining', r: 'l1/a/000000000001' as RunId, ng: 2, nx: [extentText(AT)] }),
  ],
  ['those of a repair', (facts) => volumeHas(facts, { rg: facts.volume.generation, rx: [replacementText(2, AT)] })],
])('one that the volume has again, among %s, is kept', async (_, change) => {
  const seen = await pass(change);
  const text = `volume ${seen.volume.id} has this extent again`;
  expect(seen.kept).toEqual([{ discard: seen.discard, reason: { code: 'VOLUME_CHANGED', text } }]);
  expect(seen).toMatchObject({ counts: NONE, left: { zone: heldBy(seen.volume), row: true, objects: 1 } });
});

it.each<[string, (facts: Facts) => Promise<unknown>]>([
  ['is gone', (facts) => write(facts, { kind: 'delete', ...volumeKey(CELL, facts.volume.id) })],
  ['is trash', (facts) => volumeHas(facts, { s: 'trash', d: 7, x: [0, 1, 2].map(() => extentText(AT)) })],
  ['has damage of another generation', (facts) => damageOf(facts, { generation: facts.volume.generation + 1 })],
  ['has something rotten in another column, that nobody has noted', (facts) => rotten(facts, 0)],
])('one is erased if its volume %s', async (_, change) => {
  expect(await pass(change)).toMatchObject(FREED);
});

it.each<[string, (facts: Facts) => Promise<unknown>, Partial<DiscardRow>]>([
  ['has damage', (facts) => damageOf(facts, { column: 2 }), {}],
  ['misses what was to replace it', (facts) => gone(facts, 1), {}],
  ['misses another column', (facts) => gone(facts, 0), {}],
  ['has something rotten where it was replaced', (facts) => rotten(facts, 1), {}],
  [
    'has something rotten anywhere, if nobody knows which column it was',
    (facts) => rotten(facts, 0),
    { column: undefined as never },
  ],
])('one is kept if its volume %s', async (_, change, own) => {
  const seen = await pass(change, () => own);
  const text = `volume ${seen.volume.id} is not whole without it`;
  expect(seen.kept.map(({ reason }) => reason)).toEqual([{ code: 'OBJECTS_DAMAGED', text }]);
  expect(seen).toMatchObject({ counts: NONE, left: { zone: heldBy(seen.volume), row: true, objects: 1 } });
});

it.each(['lost', 'retired'] as const)(
  'one on a drive that is %s is given up, and its zone erased later',
  async (state) => {
    const seen = await pass(({ world }) => mark(world, AT.drive, state));
    const left = { zone: { g: 3, s: 'erasing', v: seen.volume.id }, row: false, objects: 1 };
    expect(seen).toMatchObject({ counts: { freedZones: 0, givenUpZones: 1 }, kept: [], left });
    const begun = await pass(async (facts) => {
      await mark(facts.world, AT.drive, state);
      await zoneIs(facts, 'erasing', 3);
    });
    expect(begun).toMatchObject({ counts: { freedZones: 0, givenUpZones: 1 }, kept: [], left });
  },
);

it('what is being erased is erased to its end, whatever is true of the volume or its grace', async () => {
  const begun = async (facts: Facts): Promise<void> => {
    await zoneIs(facts, 'erasing', 3);
    await damageOf(facts, {});
  };
  expect(await pass(begun, ({ nowMs }) => ({ sinceMs: nowMs }))).toMatchObject(FREED);
});

it.each<[ZoneState, number]>([
  ['used', 3],
  ['erasing', 4],
  ['free', 3],
])('of one whose zone has gone on, and is %s, only the row goes', async (state, generation) => {
  const seen = await pass((facts) => zoneIs(facts, state, generation));
  const zone = { g: generation, s: state, v: seen.volume.id };
  expect(seen).toMatchObject({ counts: { ...NONE, freedZones: 1 }, kept: [], left: { zone, row: false, objects: 1 } });
});

it('one whose zone is of another volume is kept as it is', async () => {
  const other = '00000000000000ee' as VolumeId;
  const seen = await pass((facts) => zoneIs({ ...facts, volume: { ...facts.volume, id: other } }, 'used', 2));
  const reason = { code: 'VOLUME_CHANGED', text: 'another worker is at it' };
  expect(seen.kept).toEqual([{ discard: seen.discard, reason }]);
  expect(seen).toMatchObject({ counts: NONE, left: { zone: { g: 2, s: 'used', v: other }, row: true, objects: 1 } });
});

it('one whose drive does not erase is gone on with the next time', async () => {
  const { world, discard, nowMs } = await pass(undefined, (facts) => ({ sinceMs: facts.nowMs }));
  world.clock.advance(GRACE_MS);
  expect(world.clock.nowMs() - nowMs).toBe(GRACE_MS);
  const plan = scriptedPlan(({ operation }) => (operation === 'erase' ? 'before-error' : 'none'));
  const drives = world.drives.map((drive) => new FaultyDrive(drive, { plan }));
  const seen = await again(world, undefined, drives);
  expect(seen.kept.map((one) => [one.discard, one.reason.code])).toEqual([[discard, 'DRIVE_BUSY']]);
  expect(seen.counts).toEqual(NONE);
  expect(seen.left).toEqual({ zone: { g: 3, s: 'erasing', v: discard.volume }, row: true, objects: 1 });
  expect(await again(world)).toEqual(FREED);
  expect(await again(world)).toMatchObject({ counts: NONE, kept: [] });
});
