// Stores of formats 1 to 4, as those releases left them: read, gone on with, compacted, rebuilt; rows of the first two are packed where they
// change. The one of format 4 has a drive that is being emptied.
import { describe, expect, it } from 'vitest';
import { compact } from '../../lib/compaction/do/rounds.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import type { Row } from '../../lib/panda/panda.ts';
import { blockFromRow } from '../../lib/panda/rows/block-row.ts';
import { objectFromRow } from '../../lib/panda/rows/object-row.ts';
import { STORE_FORMAT, storeKey } from '../../lib/panda/rows/store-row.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { batchesOf, deleteFiles, putFiles } from '../compaction/acting-world.ts';
import { rebuiltPanda } from '../engine/rebuilding.ts';
import { Model } from './crash.ts';
import { goldenWorld, type StoredForm } from './golden-store.ts';
import { type Process, World } from './harness.ts';
import { expectSound } from './recount.ts';

const FORMS: readonly StoredForm[] = ['format-1', 'format-2', 'format-3', 'format-4'];
/** Those whose rows of blocks and objects are packed since. */
const UNPACKED: readonly StoredForm[] = ['format-1', 'format-2'];

async function opened(form: StoredForm): Promise<{ world: World; model: Model; p: Process }> {
  const { world, contents } = await goldenWorld(form);
  const model = new Model();
  for (const [key, body] of contents) model.put(key, body);
  return { world, model, p: world.start() };
}

const rows = (world: World, table: string): Row[] =>
  world.panda.snapshot().filter(({ partition }) => partition.startsWith(`${table}/`));
const formats = (world: World): { blocks: number; objects: number } => ({
  blocks: rows(world, 'block')
    .map(blockFromRow)
    .filter(({ isOld }) => isOld).length,
  objects: rows(world, 'object')
    .map(objectFromRow)
    .filter(({ isOld }) => isOld).length,
});
const formatOf = async (world: World): Promise<unknown> => (await world.panda.get(storeKey))?.attributes['f'];

describe.each(FORMS)('a store of %s', (form) => {
  const isUnpacked = UNPACKED.includes(form);

  it('is read as it is, and nothing is written for it', async () => {
    const { world, model, p } = await opened(form);
    const before = JSON.stringify(world.panda.snapshot());
    await model.expectIn(p);
    const listed = await p.frontend.list({ namespace: 'default' });
    expect(listed.objects.map(({ key }) => key).sort()).toEqual([...model.there.keys()].sort());
    expect(JSON.stringify(world.panda.snapshot())).toBe(before);
    const all = { blocks: rows(world, 'block').length, objects: rows(world, 'object').length };
    expect(formats(world)).toEqual(isUnpacked ? all : { blocks: 0, objects: 0 });
  });

  it('is gone on with: what changes is packed, and the store says so before', async () => {
    const { world, model, p } = await opened(form);
    const before = formats(world);
    expect(await formatOf(world)).toBe(Number(form.at(-1)));
    const known = model.there.get('old/2') as Uint8Array;
    await putFiles(p, model, new Map([['more/known', known]]));
    expect(await formatOf(world)).toBe(STORE_FORMAT);
    // Its block was stored long ago: one row of it is another one now, and it has one more reference.
    const oneLess = isUnpacked ? before.blocks - 1 : 0;
    expect(formats(world)).toEqual({ blocks: oneLess, objects: before.objects });
    const random = new SeededRandomness(1);
    await putFiles(
      p,
      model,
      new Map([
        ['more/new', random.bytes(100)],
        ['old/1', random.bytes(50)],
        ['long', random.bytes(4000)],
      ]),
    );
    await deleteFiles(p, model, ['old/0', 'new/2', 'two', 'empty', 'twice']);
    await model.expectIn(p);
    // The upload that was begun, and the group that was committed and not indexed, end as ever.
    world.clock.advance(60 * DAY_MS);
    const next = world.start({ othersDead: true });
    expect(await next.frontend.abandonUploads()).toBe(1);
    await next.frontend.finishReleases();
    expect((await collectGarbage(next.components)).slots).toBeGreaterThan(4);
    await putFiles(next, model, new Map([['more/last', random.bytes(60)]]));
    await model.expectIn(next);
    await expectSound(next);
    if (!isUnpacked) return;
    expect(formats(world).blocks).toBeLessThan(before.blocks - 5);
    expect(formats(world).objects).toBe(before.objects - 7);
  });

  it('is encoded, compacted and freed', async () => {
    const { world, model, p } = await opened(form);
    world.clock.advance(60 * DAY_MS);
    await deleteFiles(
      p,
      model,
      [...model.there.keys()].filter((key) => key.startsWith('old') || key.startsWith('again')).slice(3),
    );
    await collectGarbage(p.components);
    await p.frontend.abandonUploads();
    await p.volumes.open.sealAll('hot');
    await encodeHot(p.volumes, { force: true, flush: true });
    await p.volumes.open.sealAll('warm');
    await compact(batchesOf(p), { settings: { strategies: ['l2'], minFill: 0.1, l3UpTo: 0.01, finish: true } });
    await p.volumes.open.sealAll('warm');
    expect((await freeTrash(world.start().volumes, { ignoreGrace: true })).kept).toEqual([]);
    await model.expectIn(world.start());
    await expectSound(world.start());
  });

  it('is rebuilt from its drives and a backup, in the format of now', async () => {
    const { world, model, p } = await opened(form);
    const backup: Row[] = [];
    for await (const page of p.components.panda.scan()) backup.push(...page);
    const { panda, report } = await rebuiltPanda(world, backup);
    expect(report).toMatchObject({ lost: [], damagedChunks: [] });
    expect((await panda.get(storeKey))?.attributes['f']).toBe(STORE_FORMAT);
    const next = new World(world.seed, world.settings, world.drives, panda);
    next.clock.jumpTo(world.clock.nowMs());
    await model.expectIn(next.start());
    await expectSound(next.start());
    expect(formats(next).blocks).toBe(0);
  });
});
