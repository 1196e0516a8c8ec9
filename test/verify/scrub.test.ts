// The scrubber on whole small stores: each planted fault is found by name and noted, in one go or cut after every group; sound stores,
// strays and burnt sequences give no finding.
import { describe, expect, it } from 'vitest';
import type { Drive } from '../../lib/drive/drive.ts';
import { driveUnavailable } from '../../lib/drive/errors.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { volumeKey } from '../../lib/panda/rows/volume-row.ts';
import { Findings } from '../../lib/verify/findings.ts';
import { type ScrubOptions, type ScrubReport, scrub, scrubFacts } from '../../lib/verify/scrub.ts';
import type { ScrubVolume } from '../../lib/verify/scrub-plan.ts';
import { listDamage } from '../../lib/volume/rows/damage.ts';
import type { Process, World } from '../store/harness.ts';
import { flipped, type PlantedPlace, placesIn, plantedWorld, replace, SMALL_RS } from '../volume/planted.ts';

const DRIVES = 9;
const worldOf = (seed: number): Promise<World> => plantedWorld(seed, SMALL_RS, DRIVES);

type Scrubbed = ScrubReport & { readonly findings: Findings };

async function pass(p: Process, options: Partial<ScrubOptions> = {}): Promise<Scrubbed> {
  const findings = new Findings();
  const report = await scrub(p.volumes, { findings, away: new Set(), ...options });
  return { ...report, findings };
}

/** A pass over everything, cut after every group. */
async function inSteps(world: World, p: Process): Promise<{ steps: number; findings: Findings }> {
  const findings = new Findings();
  const allSinceMs = world.clock.nowMs();
  for (let steps = 1; ; steps++) {
    let calls = 0;
    // The first question is whether to begin.
    const { left } = await pass(p, { findings, allSinceMs, isOver: () => calls++ > 0 });
    if (left.volumes === 0) return { steps, findings };
    if (steps > 200) throw new Error('a pass in steps does not end');
  }
}

const kindsOf = ({ list }: Findings): string[] => [...new Set(list.map(({ check }) => check))].sort();
const isChunk = ({ part }: PlantedPlace): boolean => typeof part === 'number';

describe('a scrub', () => {
  it('finds nothing in a sound store, reads it once, and again when two weeks are over', async () => {
    const world = await worldOf(101);
    const places = await placesIn(world);
    const first = await pass(world.start(), { allSinceMs: world.clock.nowMs() });
    expect(first.findings.list).toEqual([]);
    expect(first).toMatchObject({ unread: 0, moreDamage: 0, damage: [], left: { volumes: 0, bytes: 0 } });
    expect(first.objects).toBe(places.length);
    expect(first.bytes).toBe(places.reduce((sum, { bytes }) => sum + bytes.length, 0));
    world.clock.advance(13 * DAY_MS);
    expect((await pass(world.start())).objects).toBe(0);
    world.clock.advance(2 * DAY_MS);
    expect((await pass(world.start())).objects).toBe(places.length);
    expect(await listDamage(world.start().components)).toEqual([]);
  });

  it('reads a new store only when it is a day old, and then only what came since', async () => {
    const world = await worldOf(102);
    expect((await pass(world.start())).objects).toBe(0);
    world.clock.advance(DAY_MS);
    const all = (await pass(world.start())).objects;
    const p = world.start();
    const item = { namespace: 'default', key: 'new', body: new Uint8Array(700).fill(7) };
    for await (const outcome of p.frontend.putAll([item])) expect(outcome.ok).toBe(true);
    world.clock.advance(DAY_MS - 1);
    expect((await pass(world.start())).objects).toBe(0);
    world.clock.advance(1);
    const { objects } = await pass(world.start());
    expect(objects).toBe(4); // the copies of one hot group
    expect(all).toBeGreaterThan(4);
  });

  it('finds what is planted, by kind and place, and notes it; one go and steps say the same', async () => {
    const world = await worldOf(103);
    const chunks = (await placesIn(world)).filter(isChunk);
    const pack = (await placesIn(world)).find(({ part }) => part === 'pack') as PlantedPlace;
    const warm = chunks.filter(({ volume }) => volume.class === 'warm');
    const hot = chunks.filter(({ volume }) => volume.class === 'hot');
    const [gone, cut, flip] = [warm[0], warm[8], hot[1]] as PlantedPlace[] as [
      PlantedPlace,
      PlantedPlace,
      PlantedPlace,
    ];
    const other = hot.find((one) => one.column === 2) as PlantedPlace;
    await replace(world, gone, undefined);
    await replace(world, cut, cut.bytes.slice(0, -1));
    await replace(world, flip, flipped(flip.bytes, flip.bytes.length - 1, 3));
    await replace(world, other, (hot.find(({ column }) => column === 3) as PlantedPlace).bytes);
    await replace(world, pack, flipped(pack.bytes, pack.bytes.length - 2, 0));
    const copy = world.clone();
    const { findings, damage } = await pass(world.start(), { allSinceMs: world.clock.nowMs() });
    expect(kindsOf(findings)).toEqual(['foreign', 'missing', 'short', 'wrong']);
    expect(findings.level).toBe('degraded');
    const at = ({ volume, column, part }: PlantedPlace, kind: string) => ({ volume: volume.id, column, part, kind });
    const wanted = [at(gone, 'missing'), at(cut, 'short'), at(flip, 'wrong'), at(other, 'foreign'), at(pack, 'wrong')];
    expect(damage).toHaveLength(wanted.length);
    for (const one of wanted) expect(damage).toContainEqual(expect.objectContaining(one));
    const noted = await listDamage(world.start().components);
    for (const one of wanted) expect(noted).toContainEqual(expect.objectContaining(one));
    const { steps, findings: inPieces } = await inSteps(copy, copy.start());
    expect(steps).toBeGreaterThan(3);
    expect(kindsOf(inPieces)).toEqual(kindsOf(findings));
    expect(await listDamage(copy.start().components)).toEqual(noted);
  });

  it('takes back what is sound again, in one go and in steps', async () => {
    for (const isInSteps of [false, true]) {
      const world = await worldOf(104);
      const place = (await placesIn(world)).filter(isChunk)[3] as PlantedPlace;
      await replace(world, place, flipped(place.bytes, place.bytes.length - 1, 1));
      await pass(world.start(), { allSinceMs: world.clock.nowMs() });
      expect(await listDamage(world.start().components)).toHaveLength(1);
      await replace(world, place, place.bytes);
      world.clock.advance(1);
      if (isInSteps) await inSteps(world, world.start());
      else await pass(world.start(), { allSinceMs: world.clock.nowMs() });
      expect(await listDamage(world.start().components)).toEqual([]);
    }
  });

  it('calls strays and burnt sequences no damage', async () => {
    const world = await worldOf(105);
    for (const { volume, column } of (await placesIn(world)).filter((_, i) => i % 3 === 0)) {
      const { drive, zone, zoneGeneration } = volume.extents[column] as (typeof volume.extents)[number];
      const at = { zone, generation: zoneGeneration };
      await world.drives[drive]?.append(at, `${90 + column}-99`, [new Uint8Array(9)]).catch(() => {});
    }
    const { findings } = await pass(world.start(), { allSinceMs: world.clock.nowMs() });
    expect(findings.list).toEqual([]);
  });

  it('says what is lost, and goes on with the other volumes', async () => {
    const world = await worldOf(106);
    const places = (await placesIn(world)).filter((one) => isChunk(one) && one.volume.class === 'warm');
    const [first] = places as [PlantedPlace];
    for (const place of places.filter(({ part }) => part === first.part).slice(0, 4))
      await replace(world, place, undefined);
    const { findings, objects } = await pass(world.start(), { allSinceMs: world.clock.nowMs() });
    expect(findings.level).toBe('wrong');
    expect(findings.list.some(({ severity }) => severity === 'lost')).toBe(true);
    expect(objects).toBe((await placesIn(world)).length + 4);
  });

  it('looks again a day later at a volume of which a drive was away, and forgets volumes that are gone', async () => {
    const world = await worldOf(107);
    const p = world.start();
    const fail = () => Promise.reject(driveUnavailable('drive-2', 'it is away'));
    const away = { label: 'drive-2', list: fail, read: fail } as Partial<Drive> as Drive;
    const drives = p.components.drives.map((drive, id) => (id === 2 ? away : drive));
    const limping = { components: { ...p.components, drives }, health: p.volumes.health };
    const findings = new Findings();
    await scrub(limping, { findings, away: new Set([2]), allSinceMs: world.clock.nowMs() });
    const { rows } = await scrubFacts(p.components);
    expect([...rows.values()].filter(({ hasMissed }) => hasMissed).length).toBeGreaterThan(0);
    world.clock.advance(DAY_MS);
    const { objects } = await pass(world.start());
    expect(objects).toBeGreaterThan(0);
    const after = await scrubFacts(world.start().components);
    expect([...after.rows.values()].filter(({ hasMissed }) => hasMissed)).toEqual([]);
    const [volume] = after.volumes;
    const key = volumeKey(SMALL_RS.cell, (volume as ScrubVolume).id);
    await world.panda.transact([{ kind: 'delete', ...key }]);
    await pass(world.start());
    expect((await scrubFacts(world.start().components)).rows.has((volume as ScrubVolume).id)).toBe(false);
  });
});
