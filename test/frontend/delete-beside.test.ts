// Deletes of several names in one transaction that did not take effect, while somebody else deletes one of them: what is acknowledged
// is gone.
import { expect, it } from 'vitest';
import { unknownOutcome } from '../../lib/foundation/errors.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

/** The first transaction that deletes two names does nothing and answers nothing; `meanwhile` happens before it is asked about. */
class LostPanda extends MemoryPanda {
  meanwhile: (() => Promise<void>) | undefined;

  override async transact(writes: readonly Write[]): Promise<void> {
    const deleted = writes.filter(({ kind, partition }) => kind === 'delete' && partition.startsWith('object/'));
    const { meanwhile } = this;
    if (deleted.length < 2 || meanwhile === undefined) return super.transact(writes);
    this.meanwhile = undefined;
    await meanwhile();
    throw unknownOutcome('PANDA_UNKNOWN', 'the answer got lost');
  }
}

it.each([['a'], ['b']])('one of two, %s, being gone says nothing of the other', async (first) => {
  const panda = new LostPanda();
  const world = new World(5, TINY, 20, panda);
  const [p, other] = [world.start(), world.start()];
  const random = new SeededRandomness(5);
  for (const key of ['a', 'b']) await p.frontend.put({ namespace: 'default', key, body: random.bytes(500) });
  panda.meanwhile = () => other.frontend.delete('default', first);
  const outcomes = [];
  for await (const outcome of p.frontend.deleteAll(['a', 'b'].map((key) => ({ namespace: 'default', key }))))
    outcomes.push(outcome);
  expect(panda.meanwhile).toBeUndefined();
  const acknowledged = outcomes.filter(({ ok }) => ok).map(({ key }) => key);
  expect(acknowledged).toContain(first === 'a' ? 'b' : 'a');
  for (const key of ['a', 'b'])
    await expect(other.frontend.head('default', key)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  await expectSound(other);
});
