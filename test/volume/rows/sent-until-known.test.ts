// A transaction is sent until its outcome is known: what each answer leads to, how long is waited, and when it is given up.
import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../../lib/foundation/clock.ts';
import { denied, retryLater, unknownOutcome } from '../../../lib/foundation/errors.ts';
import { type Randomness, SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { TRANSACT_ATTEMPTS_MAX, TRANSACT_BACK_OFF_MS, TRANSACT_BACK_OFF_MS_MAX } from '../../../lib/limits/volume.ts';
import { PandaConflict } from '../../../lib/panda/conflict.ts';
import type { Write } from '../../../lib/panda/panda.ts';
import { backOffMs, LateConflict, transact, transactUnlessConflict } from '../../../lib/volume/rows/transact.ts';
import { type Answer, ToldPanda } from './told-panda.ts';

const WRITES: readonly Write[] = [{ kind: 'put', partition: 'p', sort: 's', attributes: { n: 1 } }];
/** As long as may be. */
const longest = { below: (bound: number) => bound - 1 } as Randomness;

function storeOf(...answers: Answer[]) {
  const panda = new ToldPanda();
  panda.answers = answers;
  const waits: number[] = [];
  const clock = new SimulatedClock();
  clock.sleep = async (ms) => void waits.push(ms);
  let asked = 0;
  const ports = { panda, clock, randomness: longest };
  const send = (took: boolean, as: typeof transact | typeof transactUnlessConflict = transact) =>
    as(ports, WRITES, async () => {
      asked += 1;
      return took;
    });
  return { send, waits, seen: () => ({ sent: panda.taken().length, asked, waits: waits.splice(0) }) };
}

const busy = retryLater('PANDA_BUSY', 'busy');
const full = retryLater('PANDA_FULL', 'full');
const lost = unknownOutcome('PANDA_UNKNOWN', 'who knows');
const refused = new PandaConflict([0]);

describe('waits', () => {
  it('are up to twice as long each time, and no longer than the longest', () => {
    const longestOf = [0, 1, 2, 7, 8, 30].map((attempt) => backOffMs(attempt, longest));
    expect(longestOf).toEqual([10, 20, 40, 1280, TRANSACT_BACK_OFF_MS_MAX, TRANSACT_BACK_OFF_MS_MAX]);
    expect(longestOf[0]).toBe(TRANSACT_BACK_OFF_MS);
    const randomness = new SeededRandomness(3);
    const some = Array.from({ length: 200 }, () => backOffMs(0, randomness));
    expect([Math.min(...some), Math.max(...some)]).toEqual([0, TRANSACT_BACK_OFF_MS]);
  });
});

describe('a transaction', () => {
  it('that is done is sent once, and nobody is asked', async () => {
    const { send, seen } = storeOf('sound');
    await send(false);
    expect(seen()).toEqual({ sent: 1, asked: 0, waits: [] });
  });

  it('that meets a busy store is sent again after a wait, up to a bound', async () => {
    const { send, seen } = storeOf(busy, busy, busy);
    await send(false);
    expect(seen()).toEqual({ sent: 4, asked: 0, waits: [10, 20, 40] });
    const always = storeOf(...Array.from({ length: 50 }, () => busy));
    await expect(always.send(false)).rejects.toBe(busy);
    const { sent, asked, waits } = always.seen();
    expect({ sent, asked, waits: waits.length }).toEqual({
      sent: TRANSACT_ATTEMPTS_MAX + 1,
      asked: 0,
      waits: TRANSACT_ATTEMPTS_MAX,
    });
  });

  it('whose answer is lost is over if the rows say so, and sent again if not', async () => {
    const { send, seen } = storeOf('undone');
    await send(true);
    expect(seen()).toEqual({ sent: 1, asked: 1, waits: [] });
    const again = storeOf('undone', 'undone');
    await again.send(false);
    expect(again.seen()).toEqual({ sent: 3, asked: 2, waits: [10, 20] });
  });

  it('is not asked about where only waiting was in the way since its answer was lost', async () => {
    const { send, seen } = storeOf(lost, busy);
    await send(false);
    expect(seen()).toEqual({ sent: 3, asked: 1, waits: [10, 20] });
  });

  it('that is given up says that it may have been done, if any answer was lost', async () => {
    const { send } = storeOf(lost, ...Array.from({ length: 50 }, () => busy));
    await expect(send(false)).rejects.toBe(lost);
  });

  it('that is refused is over; sent again after a lost answer, its first sending may still come', async () => {
    const { send, seen } = storeOf(refused);
    await expect(send(true)).rejects.toBe(refused);
    expect(seen()).toEqual({ sent: 1, asked: 0, waits: [] });
    const late = storeOf(lost, refused);
    const error: unknown = await late.send(false).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(LateConflict);
    expect(error).toMatchObject({ failed: [0], cause: refused });
    expect(late.seen()).toEqual({ sent: 2, asked: 2, waits: [10] });
    // It was its own first sending that it met.
    let isDone = false;
    const panda = new ToldPanda();
    panda.answers = [lost, refused];
    panda.before = () => {
      isDone = panda.calls.length === 2;
    };
    await transact({ panda, clock: new SimulatedClock(), randomness: longest }, WRITES, async () => isDone);
    expect(panda.calls).toHaveLength(2);
  });

  it('that meets a full disk is not sent again, and may have been done before', async () => {
    const { send, seen } = storeOf(full);
    await expect(send(true)).rejects.toBe(full);
    expect(seen()).toEqual({ sent: 1, asked: 0, waits: [] });
    const after = storeOf(lost, full);
    await expect(after.send(false)).rejects.toBe(full);
    expect(after.seen()).toEqual({ sent: 2, asked: 2, waits: [10] });
  });

  it('that fails otherwise is over, lost answer or not', async () => {
    const error = denied('PANDA_DENIED', 'no');
    const { send, seen } = storeOf(error);
    await expect(send(true)).rejects.toBe(error);
    expect(seen()).toEqual({ sent: 1, asked: 0, waits: [] });
    const after = storeOf(lost, error);
    await expect(after.send(false)).rejects.toBe(error);
    expect(after.seen()).toEqual({ sent: 2, asked: 1, waits: [10] });
  });

  it('may be told by yes and no: no if a condition does not hold, and nothing else is a no', async () => {
    expect(await storeOf('sound').send(false, transactUnlessConflict)).toBe(true);
    expect(await storeOf('undone').send(true, transactUnlessConflict)).toBe(true);
    expect(await storeOf(refused).send(false, transactUnlessConflict)).toBe(false);
    expect(await storeOf(lost, refused).send(false, transactUnlessConflict)).toBe(false);
    await expect(storeOf(full).send(false, transactUnlessConflict)).rejects.toBe(full);
  });
});
