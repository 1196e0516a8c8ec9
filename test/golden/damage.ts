// What is found of damage, read in spite of it, and made again: small worlds, a few objects of one group or pack at a time.
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import { scriptedPlan } from '../../lib/foundation/faults.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { type BlockRow, blockFromRow } from '../../lib/panda/rows/block-row.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { lookAtVolume } from '../../lib/volume/check/look.ts';
import { unreadableRecords } from '../../lib/volume/read/unreadable.ts';
import { repairStore } from '../../lib/volume/repair/repair-store.ts';
import { noteDamage } from '../../lib/volume/rows/damage.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { mark, wipe } from '../repair/drives.ts';
import type { Process, World } from '../store/harness.ts';
import { flipped, LOOKED_AT, type PlantedPlace, placesIn, plantedWorld, replace } from '../volume/planted.ts';
import { textOf } from './seeded-rows.ts';

const DRIVES = { 'rs-6-3': 12, 'lrc-12-2-2': 19, 'xor-2-1': 6 } as const;
type Codec = keyof typeof DRIVES;
export const CODECS = Object.keys(DRIVES) as readonly Codec[];

/** What becomes of an object. */
const DAMAGES: Readonly<Record<string, (place: PlantedPlace, all: readonly PlantedPlace[]) => Uint8Array | undefined>> =
  {
    gone: () => undefined,
    cut: ({ bytes }) => bytes.slice(0, -7),
    'header wrong': ({ bytes }) => flipped(bytes, 30, 2),
    'byte wrong': ({ bytes }) => flipped(bytes, bytes.length >> 1, 5),
    'end wrong': ({ bytes }) => flipped(bytes, bytes.length - 2, 1),
    foreign: ({ volume, name, column, bytes }, all) =>
      all.find((one) => one.volume.id === volume.id && one.name === name && one.column !== column)?.bytes ??
      bytes.slice(9),
  };

async function lines(name: string, world: World, p: Process, notes: boolean): Promise<string[]> {
  const out: string[] = [name];
  const volumes = (await listVolumes(world.panda, world.settings.cell)).filter(({ buckets }) => buckets.size > 0);
  for (const read of [false, true])
    for (const [i, volume] of volumes.entries()) {
      const look = await lookAtVolume(p.volumes, volume, { read });
      if (look === undefined) continue;
      const { volume: _, damage, found, healed, ...sums } = look;
      const short = found.map(({ column, part, kind, reason }) => `${column}/${part} ${kind} ${reason}`);
      out.push(
        `  ${read ? 'read' : 'listed'} ${i}: ${short.join(', ')}; ${damage.length} ${healed.length} ${textOf(sums)}`,
      );
      if (read && notes) await noteDamage(p.components, volume, found);
    }
  // What was noted holds, or a listing or a read tells that it does no longer.
  const again = async (name: string): Promise<void> => {
    const now = (await listVolumes(world.panda, world.settings.cell)).filter(({ buckets }) => buckets.size > 0);
    for (const read of [false, true])
      for (const [i, volume] of now.entries()) {
        const look = await lookAtVolume(world.start().volumes, volume, { read });
        if (look === undefined) continue;
        const kinds = look.damage.map(({ column, part, kind }) => `${column}/${part} ${kind}`);
        const healed = look.healed.map(({ column, part, kind }) => `${column}/${part} ${kind}`);
        if (kinds.length + healed.length > 0 || look.unread > 0)
          out.push(
            `  ${name}, ${read ? 'read' : 'listed'} ${i}: ${kinds.join(', ')}; healed ${healed.join(', ')}; ${look.spare}`,
          );
      }
  };
  await again('again');
  const rows = world.panda.snapshot().filter(({ partition }) => partition.startsWith('block/'));
  const blocks: BlockRow[] = rows.map(blockFromRow);
  const numberOf = new Map(blocks.map(({ id }, i) => [id, i]));
  const bad = await unreadableRecords(world.start().volumes, blocks);
  out.push(`  unreadable: ${bad.map(({ id }) => numberOf.get(id)).sort((a, b) => Number(a) - Number(b))}`);
  const readers = world.start().volumes;
  const errors: string[] = [];
  for (const block of blocks)
    await readers.records.read(block).catch((error: unknown) => {
      if (!isPocketfulError(error)) throw error;
      errors.push(`${numberOf.get(block.id)} ${error.code}`);
    });
  out.push(`  read: ${textOf(readers.records.stats)} ${errors.join(', ')}`);
  const { lost, ...report } = await repairStore(p.volumes);
  const left = lost.map((one) => textOf({ ...one, volume: undefined }));
  out.push(`  repaired: ${textOf(report)} ${left.join(' ')}`);
  await again('after that');
  const now = await placesIn(world);
  const sum = now.reduce(
    (all, { bytes, column }) => (all * 31 + bytes.reduce((x, byte) => (x * 33 + byte) >>> 0, column)) >>> 0,
    7,
  );
  out.push(
    `  then ${now.length} objects ${sum} on ${textOf((await listVolumes(world.panda, 'c0')).map(({ extents }) => extents.map(({ drive }) => drive).join(' ')))}`,
  );
  return out;
}

export async function damageLines(codec: Codec): Promise<readonly string[]> {
  const out: string[] = [];
  const drives = DRIVES[codec];
  const settings = settingsOf('demo', { ...LOOKED_AT, warmCodec: codec, trashGraceMs: 0 });
  const made = await plantedWorld(33, settings, drives, { files: 40 });
  const sealed = made.clone();
  await sealed.start().volumes.open.sealAll('hot');
  const random = new SeededRandomness(drives);
  for (const [kind, change] of Object.entries(DAMAGES))
    for (let count = 1; count <= 5; count++) {
      const world = (count % 2 === 0 ? made : sealed).clone();
      const places = await placesIn(world);
      const byName = Map.groupBy(places, ({ volume, name }) => `${volume.id}/${name}`);
      const groups = [...byName.values()].filter((group) => group.length > 1);
      const group = groups[random.below(groups.length)] as PlantedPlace[];
      const hit = group.filter(() => random.below(2) === 0).slice(0, count);
      for (const place of hit) await replace(world, place, change(place, group));
      const name = `${hit.map(({ column, part }) => `${column}/${part}`).join(' ')} ${kind}`;
      out.push(...(await lines(name, world, world.start({ othersDead: true }), count !== 3)));
    }
  for (let count = 1; count <= 4; count++) {
    const world = sealed.clone();
    for (let i = 0; i < count; i++) {
      const drive = (i * 5 + count) % drives;
      const state = i === 1 ? 'draining' : 'lost';
      if (state === 'lost') await wipe(world, drive);
      await mark(world, drive, state);
    }
    out.push(...(await lines(`${count} drives`, world, world.start({ othersDead: true }), true)));
  }
  for (let busy = 0; busy < 4; busy++) {
    const world = sealed.clone();
    await wipe(world, (busy + 5) % drives);
    await mark(world, (busy + 5) % drives, 'lost');
    const plan = scriptedPlan(({ port, operation }, detail) =>
      port === 'drive' && operation === 'read' && detail.startsWith(`drive-${busy}:`) ? 'before-error' : 'none',
    );
    out.push(...(await lines(`reads of drive ${busy} fail`, world, world.start({ othersDead: true, plan }), true)));
  }
  return out;
}
