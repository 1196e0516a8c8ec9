// A put that fits one transaction: its group is committed, indexed and settled in one, or, where a condition does not hold, as any other.
import { describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Key, ReadOptions, Row, Write } from '../../lib/panda/panda.ts';
import { volumeFromRow } from '../../lib/panda/rows/volume-row.ts';
import { TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

/** Notes what is sent. A cheap look may find nothing of a name. */
class NotingPanda extends MemoryPanda {
  readonly sent: string[] = [];
  /** Of how many keys each look at several was. */
  readonly looks: number[] = [];
  hidden: string | undefined;

  override async getMany(keys: readonly Key[], options?: ReadOptions): Promise<(Row | undefined)[]> {
    this.looks.push(keys.length);
    const rows = await super.getMany(keys);
    return options?.consistency === 'eventual'
      ? rows.map((row) => (row?.sort === this.hidden ? undefined : row))
      : rows;
  }

  override async transact(writes: readonly Write[]): Promise<void> {
    await super.transact(writes);
    this.sent.push(writes.map(({ kind, partition }) => `${kind} ${partition.split('/')[0]}`).join(', '));
  }
}

const bodyOf = (seed: number): Uint8Array => new SeededRandomness(seed).bytes(900);

async function begun(): Promise<{
  panda: NotingPanda;
  world: World;
  put: (key: string, seed: number) => Promise<unknown>;
}> {
  const panda = new NotingPanda();
  const world = new World(5, TINY, 20, panda);
  const { frontend } = world.start();
  const put = (key: string, seed: number) => frontend.put({ namespace: 'default', key, body: bodyOf(seed) });
  await put('first', 1);
  panda.sent.length = 0;
  return { panda, world, put };
}

const readBy = (world: World, key: string): Promise<Uint8Array> => world.start().frontend.read('default', key, 1e6);

describe('one blob alone', () => {
  it('is a lease and one transaction, after which the volume is anybody’s', async () => {
    const { panda, world, put } = await begun();
    await put('alone', 2);
    expect(panda.sent).toEqual(['update volume', 'update volume, put group, update bucket, put block, put object']);
    const volumes = panda.snapshot().filter(({ partition }) => partition.startsWith('volume/'));
    expect(volumes.map(volumeFromRow).map(({ pendingSeq, owner }) => [pendingSeq, owner])).toEqual(
      volumes.map(() => [undefined, undefined]),
    );
    expect(Buffer.compare(await readBy(world, 'alone'), bodyOf(2))).toBe(0);
    await expectSound(world.start());
  });

  it('is looked up in one read, its object and its block', async () => {
    const { panda, put } = await begun();
    panda.looks.length = 0;
    await put('alone', 2);
    expect(panda.looks).toEqual([2]);
  });

  it('overwrites in one, with the row of what was removed', async () => {
    const { panda, world, put } = await begun();
    await put('first', 3);
    expect(panda.sent.at(-1)).toBe('update volume, put group, update bucket, put block, put object, put removed');
    expect(Buffer.compare(await readBy(world, 'first'), bodyOf(3))).toBe(0);
    await expectSound(world.start());
  });

  it('is committed by itself where what was read is not so any more, and indexed from what is', async () => {
    const { panda, world, put } = await begun();
    panda.hidden = 'first';
    await put('first', 4);
    expect(panda.sent).toEqual([
      'update volume',
      'update volume, put group, update bucket',
      'update volume, put block, put object, put removed',
    ]);
    expect(Buffer.compare(await readBy(world, 'first'), bodyOf(4))).toBe(0);
    await expectSound(world.start());
  });

  it('is refused for its version alone, and leaves no slot alive', async () => {
    const { panda, world } = await begun();
    const { frontend } = world.start();
    const again = frontend.put({ namespace: 'default', key: 'first', body: bodyOf(6), ifVersion: 'absent' });
    await expect(again).rejects.toMatchObject({ code: 'VERSION_MISMATCH' });
    expect(panda.sent.filter((one) => one.includes('put group'))).toEqual(['update volume, put group, update bucket']);
    await expectSound(world.start());
  });
});
