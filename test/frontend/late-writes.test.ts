// A write whose answer got lost may take effect long after it was sent again: when all that came of it is done with.
import { expect, it } from 'vitest';
import { recover } from '../../lib/engine/upkeep/end-dead-work.ts';
import { unknownOutcome } from '../../lib/foundation/errors.ts';
import type { ObjectVersion } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { RELEASES, segmentPartition, UPLOADS } from '../../lib/panda/rows/object-row.ts';
import { TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

/** The first transaction that begins an upload answers nothing, and is done when told. */
class LatePanda extends MemoryPanda {
  late: readonly Write[] | undefined;

  override async transact(writes: readonly Write[]): Promise<void> {
    if (this.late === undefined && writes[0]?.kind === 'put' && writes[0].partition === UPLOADS) {
      this.late = writes;
      throw unknownOutcome('PANDA_UNKNOWN', 'the answer got lost');
    }
    await super.transact(writes);
  }
}

it('an upload that begins after it was published is not taken for one that was abandoned', async () => {
  const panda = new LatePanda();
  const world = new World(3, TINY, 20, panda);
  const body = new SeededRandomness(3).bytes(100 * 1024);
  await world.start().frontend.put({ namespace: 'default', key: 'long', body });
  expect(panda.late).toMatchObject([{ kind: 'put', partition: UPLOADS }, { kind: 'check' }]);
  await panda.transact(panda.late as readonly Write[]);

  const p = world.start({ othersDead: true });
  await recover(p.volumes, p.frontend);
  expect(Buffer.compare(await p.frontend.read('default', 'long', 1e7), body)).toBe(0);
  expect((await panda.query(UPLOADS)).rows).toEqual([]);
  await expectSound(p);
});

/** A long put that stands still once some of it is stored, while `meanwhile` happens. */
async function putThatStandsStill(panda: LatePanda, seed: number, meanwhile: (world: World) => Promise<void>) {
  const world = new World(seed, TINY, 20, panda);
  const body = new SeededRandomness(seed).bytes(100 * 1024);
  const { blockBytesMax } = TINY;
  async function* slowly() {
    // The first put of a long object needs that much to know that it is one.
    const first = body.length - 8 * blockBytesMax;
    yield body.subarray(0, first);
    await stored(panda);
    await meanwhile(world);
    yield body.subarray(first);
  }
  const done = world.start().frontend.put({ namespace: 'default', key: 'long', body: slowly() });
  return { world, done, body };
}

async function segmentsOf(panda: MemoryPanda): Promise<number> {
  const uploads = (await panda.query(UPLOADS)).rows;
  let found = 0;
  for (const { sort } of uploads) found += (await panda.query(segmentPartition(sort as ObjectVersion))).rows.length;
  return found;
}

/** As many segments as there will be: none is under way any more. */
async function stored(panda: MemoryPanda): Promise<void> {
  for (let before = 0, same = 0; before === 0 || same < 15; ) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    const now = await segmentsOf(panda);
    same = now === before ? same + 1 : 0;
    before = now;
  }
}

it('an upload that was given up, and begins once more by a late request, is not published without what was released', async () => {
  const panda = new LatePanda();
  const { world, done } = await putThatStandsStill(panda, 4, async (store) => {
    const other = store.start({ othersDead: true });
    expect(await other.frontend.abandonUploads()).toBe(1);
    expect(await other.frontend.finishReleases()).toBeGreaterThan(0);
    await panda.transact(panda.late as readonly Write[]);
    expect((await panda.query(UPLOADS)).rows).toHaveLength(1);
  });
  await expect(done).rejects.toMatchObject({ kind: 'conflict', code: 'UPLOAD_ABANDONED' });
  const p = world.start({ othersDead: true });
  await expect(p.frontend.head('default', 'long')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  await recover(p.volumes, p.frontend);
  for (const partition of [UPLOADS, RELEASES]) expect((await panda.query(partition)).rows).toEqual([]);
  await expectSound(p);
});

it('an upload does not begin once more while it is being released: its new segments would be, too', async () => {
  const panda = new LatePanda();
  const { world, done } = await putThatStandsStill(panda, 5, async (store) => {
    expect(await store.start({ othersDead: true }).frontend.abandonUploads()).toBe(1);
    await expect(panda.transact(panda.late as readonly Write[])).rejects.toMatchObject({ failed: [1] });
  });
  await expect(done).rejects.toMatchObject({ kind: 'conflict' });
  const p = world.start({ othersDead: true });
  await recover(p.volumes, p.frontend);
  await expectSound(p);
});

it('an upload that stands still for long, and is left alone, is published', async () => {
  const panda = new LatePanda();
  const { world, done, body } = await putThatStandsStill(panda, 6, async () => {});
  await done;
  expect(Buffer.compare(await world.start().frontend.read('default', 'long', 1e7), body)).toBe(0);
});
