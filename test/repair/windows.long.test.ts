// Chunks longer than what a repair reads at once: made again byte for byte, also where another column lies somewhere.
import { beforeAll, expect, it } from 'vitest';
import { present } from '../../lib/foundation/assert.ts';
import { REPAIR_WINDOW_BYTES } from '../../lib/limits/reads.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { repairStore } from '../../lib/volume/repair/repair-store.ts';
import { World } from '../store/harness.ts';
import { incompressible } from '../store/sealed-overhead.ts';
import { flipped, type PlantedPlace, placesIn, replace } from '../volume/planted.ts';
import { mark, wipe } from './drives.ts';

const MIB = 1024 * 1024;
const settings = settingsOf('demo', {
  preset: 'custom',
  warmCodec: 'rs-6-3',
  blockBytesMax: MIB / 2,
  extentBytes: 12 * MIB,
  bucketBytes: 2 * MIB,
  groupBytesMin: 36 * MIB,
  trashGraceMs: 0,
});
let made: World;
let long: PlantedPlace[];

beforeAll(async () => {
  made = new World(3, settings, 13);
  const p = made.start();
  for (let n = 0; n < 42; n++) {
    const items = [{ namespace: 'default', key: `${n}`, body: incompressible(MIB - 100, n) }];
    for await (const outcome of p.frontend.putAll(items)) if (!outcome.ok) throw outcome.error;
  }
  await p.volumes.open.sealAll('hot');
  await encodeHot(p.volumes, { force: true, flush: true });
  await p.volumes.open.sealAll('warm');
  long = (await placesIn(made)).filter(({ bytes }) => bytes.length > REPAIR_WINDOW_BYTES + MIB);
});

const nameOf = ({ volume, column, name }: PlantedPlace): string => `${volume.id}/${column}/${name}`;

it.each([false, true])('a lost column of long chunks, another column lying in its second window: %s', async (lies) => {
  const lost = long[0] as PlantedPlace;
  const liar = present(
    long.find(({ volume, column }) => volume.id === lost.volume.id && column !== lost.column),
    'another long chunk of that volume',
  );
  const world = made.clone();
  const drive = lost.volume.extents[lost.column]?.drive ?? -1;
  await wipe(world, drive);
  await mark(world, drive, 'lost');
  if (lies) await replace(world, liar, flipped(liar.bytes, REPAIR_WINDOW_BYTES + 5000, 1));
  const report = await repairStore(world.start({ othersDead: true }).volumes);
  expect(report).toMatchObject({ lost: [], left: [] });
  const now = new Map((await placesIn(world)).map((place) => [nameOf(place), place.bytes]));
  for (const place of long)
    if (!lies || place !== liar) expect(Buffer.compare(now.get(nameOf(place)) ?? Buffer.alloc(0), place.bytes)).toBe(0);
});
