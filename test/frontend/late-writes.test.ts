// A write whose answer got lost may take effect long after it was sent again: when all that came of it is done with.
import { expect, it } from 'vitest';
import { recover } from '../../lib/engine/upkeep/end-dead-work.ts';
import { unknownOutcome } from '../../lib/foundation/errors.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { UPLOADS } from '../../lib/panda/rows/object-row.ts';
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
  expect(panda.late).toHaveLength(1);
  await panda.transact(panda.late as readonly Write[]);

  const p = world.start({ othersDead: true });
  await recover(p.volumes, p.frontend);
  expect(Buffer.compare(await p.frontend.read('default', 'long', 1e7), body)).toBe(0);
  expect((await panda.query(UPLOADS)).rows).toEqual([]);
  await expectSound(p);
});
