// A put of bytes that the store knows and cannot read any more stores them anew: what is acknowledged can be read, and putting the
// originals again heals a store.
import { describe, expect, it } from 'vitest';
import { FaultyDrive } from '../../lib/drive/faulty-drive.ts';
import type { MemoryDrive } from '../../lib/drive/memory-drive.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { Frontend } from '../../lib/frontend/frontend.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { readDamage } from '../../lib/volume/rows/damage.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { crashEverywhere, Model } from '../store/crash.ts';
import { type Process, TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

const KIB = 1024;
const SETTINGS = settingsOf('demo', { ...TINY, warmCodec: 'rs-6-3', groupBytesMin: 24 * KIB });
const NAMESPACE = 'default';
type Files = ReadonlyMap<string, Uint8Array>;

function filesOf(seed: number, count: number, bytesMax = 2900): Map<string, Uint8Array> {
  const random = new SeededRandomness(seed);
  return new Map(Array.from({ length: count }, (_, i) => [`${seed}/${i}`, random.bytes(random.below(bytesMax) + 1)]));
}

async function putAll(p: Process, files: Files): Promise<void> {
  for await (const outcome of p.frontend.putAll([...files].map(([key, body]) => ({ namespace: NAMESPACE, key, body }))))
    expect(outcome).toMatchObject({ ok: true });
}

async function lostOf(p: Process, files: Files): Promise<string[]> {
  const lost: string[] = [];
  for (const [key, body] of files) {
    const read = await p.frontend.read(NAMESPACE, key, 1e7).catch(() => undefined);
    if (read === undefined || Buffer.compare(read, body) !== 0) lost.push(key);
  }
  return lost;
}

async function encode(p: Process): Promise<void> {
  await p.volumes.open.sealAll('hot');
  await encodeHot(p.volumes, { force: true, flush: true });
  await p.volumes.open.sealAll('warm');
  await freeTrash(p.volumes, { ignoreGrace: true });
}

/** Files in one warm volume of 9 columns, among drives that may be broken. */
async function encoded(seed: number, files: Files) {
  const world = new World(seed, SETTINGS, 14);
  await putAll(world.start(), files);
  await encode(world.start());
  const drives = world.drives.map((drive) => new FaultyDrive(drive));
  const volumes = new VolumeStore({ ...world.start().components, drives });
  const p: Process = { components: volumes.components, volumes, frontend: new Frontend(volumes) };
  return { world, drives, p };
}

const columnsOf = async (world: World): Promise<number[]> => [
  ...new Set((await listVolumes(world.panda, 'c0')).flatMap(({ extents }) => extents.map(({ drive }) => drive))),
];

/** Takes single objects away while their drives answer: what happens to a drive that is emptied below its marker. */
async function empty(world: World, drive: number): Promise<void> {
  const body = world.drives[drive] as MemoryDrive;
  for (const at of await body.zones()) await body.erase(at);
}

describe('putting the originals again', () => {
  it.each(['lost drives', 'emptied drives'] as const)(
    'heals a store with four of nine columns gone: %s',
    async (how) => {
      const files = filesOf(1, 60);
      const { world, drives, p } = await encoded(1, files);
      const columns = (await columnsOf(world)).slice(0, 4);
      for (const drive of columns)
        if (how === 'lost drives') (drives[drive] as FaultyDrive).state = 'lost';
        else await empty(world, drive);
      const lost = await lostOf({ ...p, frontend: new Frontend(new VolumeStore(p.components)) }, files);
      expect(lost.length).toBeGreaterThan(5);
      expect(lost.length).toBeLessThan(files.size);
      await putAll(p, files);
      expect(await lostOf(p, files)).toEqual([]);
      for (const drive of drives) drive.state = 'healthy';
      await expectSound(world.start());
    },
  );

  it('appends nothing while the code survives what is away', async () => {
    const files = filesOf(2, 60);
    const { world, drives, p } = await encoded(2, files);
    for (const drive of (await columnsOf(world)).slice(0, 3)) (drives[drive] as FaultyDrive).state = 'lost';
    const before = (await listVolumes(world.panda, 'c0')).length;
    await putAll(p, files);
    expect(await listVolumes(world.panda, 'c0')).toHaveLength(before);
    expect(await lostOf(p, files)).toEqual([]);
  });

  it('brings a key back whose record was lost, after rm as well', async () => {
    const files = filesOf(3, 30);
    const { world, p } = await encoded(3, files);
    for (const drive of (await columnsOf(world)).slice(0, 5)) await empty(world, drive);
    const lost = await lostOf(p, files);
    expect(lost.length).toBeGreaterThan(3);
    for (const key of lost) await p.frontend.delete(NAMESPACE, key);
    await putAll(p, new Map(lost.map((key) => [key, files.get(key) as Uint8Array])));
    expect(await lostOf(p, files)).toEqual([]);
    await expectSound(world.start());
  });

  it('heals long objects too, and the segments of those that share their blocks', async () => {
    const long = new Map([['long', new SeededRandomness(4).bytes(120 * KIB)]]);
    const { world, p } = await encoded(4, long);
    for (const drive of (await columnsOf(world)).slice(0, 4)) await empty(world, drive);
    expect(await lostOf(p, long)).toEqual(['long']);
    await putAll(p, new Map([['other', long.get('long') as Uint8Array]]));
    expect(await lostOf(p, new Map([...long, ['other', long.get('long') as Uint8Array]]))).toEqual([]);
    await expectSound(world.start());
  });

  it('heals what only a read could find: bytes that changed in the middle of chunks', async () => {
    const world = new World(5, SETTINGS, 14);
    const files = filesOf(5, 24, 900);
    await putAll(world.start(), files);
    await encode(world.start());
    // Every chunk of the volume has one byte changed somewhere before its last record.
    const [volume] = (await listVolumes(world.panda, 'c0')).filter((one) => one.class === 'warm');
    for (const { drive, zone, zoneGeneration } of volume?.extents ?? []) {
      const at = { zone, generation: zoneGeneration };
      const body = world.drives[drive] as MemoryDrive;
      const objects = await Promise.all(
        (await body.list(at)).map(async ({ name }) => ({ name, bytes: await body.read(at, name) })),
      );
      await body.erase(at);
      for (const { name, bytes } of objects) {
        if (/^\d/.test(name)) bytes[256 + 40] = (bytes[256 + 40] as number) ^ (drive + 1);
        await body.append(at, name, [bytes]);
      }
    }
    const p = world.start();
    const lost = await lostOf(p, files);
    expect(lost.length).toBeGreaterThan(0);
    expect(await readDamage(p.components, volume?.id as never)).not.toEqual([]);
    await putAll(world.start(), files);
    expect(await lostOf(world.start(), files)).toEqual([]);
    await expectSound(world.start());
  });

  it('heals hot volumes of which nothing is left', async () => {
    const world = new World(6, SETTINGS, 14);
    const files = filesOf(6, 12, 900);
    await putAll(world.start(), files);
    for (const drive of await columnsOf(world)) await empty(world, drive);
    expect(await lostOf(world.start(), files)).toHaveLength(files.size);
    await putAll(world.start(), files);
    expect(await lostOf(world.start(), files)).toEqual([]);
  });
});

describe('a crash at every port call', () => {
  it('of a put that heals, leaves every object as it was or healed', async () => {
    const files = filesOf(7, 9, 1100);
    const report = await crashEverywhere({
      isDamaged: true,
      prepare: async () => {
        const { world, p } = await encoded(7, files);
        const model = new Model();
        const [volume] = (await listVolumes(world.panda, 'c0')).filter((one) => one.class === 'warm');
        for (const { drive } of volume?.extents.slice(0, 4) ?? []) await empty(world, drive);
        const lost = await lostOf(p, files);
        expect(lost.length).toBeGreaterThan(3);
        for (const [key, body] of files) model.put(key, body);
        for (const key of lost) model.lost.add(key);
        await p.frontend.delete(NAMESPACE, lost[0] as string); // its block comes back from trash
        model.delete(lost[0] as string);
        return { world, model };
      },
      act: async (p, model) => {
        for (const [key, body] of files) model.begin(key, body);
        const items = [...files].map(([key, body]) => ({ namespace: NAMESPACE, key, body }));
        for await (const outcome of p.frontend.putAll(items))
          if (outcome.ok) model.put(outcome.key, files.get(outcome.key) as Uint8Array);
      },
    });
    expect(report.calls).toBeGreaterThan(30);
  });
});
