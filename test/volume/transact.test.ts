// Which outcomes of a transaction are waited out.
import { expect, it } from 'vitest';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { retryLater, unknownOutcome } from '../../lib/foundation/errors.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { transact } from '../../lib/volume/rows/transact.ts';

class FailingPanda extends MemoryPanda {
  sent = 0;
  readonly #failures: Error[];

  constructor(...failures: Error[]) {
    super();
    this.#failures = failures;
  }

  override async transact(writes: readonly Write[]): Promise<void> {
    this.sent += 1;
    const failure = this.#failures.shift();
    if (failure !== undefined) throw failure;
    return super.transact(writes);
  }
}

const WRITES: readonly Write[] = [{ kind: 'put', partition: 'p', sort: 's', attributes: { n: 1 } }];
const send = (panda: FailingPanda, took = false) =>
  transact({ panda, clock: new SimulatedClock(), randomness: new SeededRandomness(1) }, WRITES, async () => took);

it('a busy store is asked again, a full disk is not', async () => {
  const busy = new FailingPanda(retryLater('PANDA_BUSY', 'busy'), retryLater('PANDA_BUSY', 'busy'));
  await send(busy);
  expect(busy.sent).toBe(3);
  const full = new FailingPanda(retryLater('PANDA_FULL', 'full'));
  await expect(send(full)).rejects.toMatchObject({ code: 'PANDA_FULL' });
  expect(full.sent).toBe(1);
});

it('an unknown outcome before a full disk is looked at: it may have taken effect', async () => {
  const failures = () => [unknownOutcome('PANDA_UNKNOWN', 'who knows'), retryLater('PANDA_FULL', 'full')];
  await expect(send(new FailingPanda(...failures()), false)).rejects.toMatchObject({ code: 'PANDA_FULL' });
  await send(new FailingPanda(...failures()), true);
});
