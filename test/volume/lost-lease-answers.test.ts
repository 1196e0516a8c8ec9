// A lease that ends, or is ended by others, when answers get lost or somebody else was quicker: whoever knows it hears once what became of it.
import { describe, expect, it } from 'vitest';
import { retryLater, unknownOutcome } from '../../lib/foundation/errors.ts';
import type { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Attributes, Write } from '../../lib/panda/panda.ts';
import { type VolumeRow, volumeKey } from '../../lib/panda/rows/volume-row.ts';
import { endLeases } from '../../lib/volume/open/end-leases.ts';
import { leaseOf, leaseVolume } from '../../lib/volume/open/lease.ts';
import { listVolumes, readVolume } from '../../lib/volume/rows/read-rows.ts';
import { type Process, TINY, World } from '../store/harness.ts';

const CELL = TINY.cell;

async function leased() {
  const world = new World(31, { ...TINY, openVolumes: 1 });
  const p = world.start();
  await p.frontend.put({ namespace: 'n', key: 'a', body: Buffer.from('a body') });
  const [known] = await listVolumes(world.panda, CELL);
  const row = (await leaseVolume(p.components, known ?? expect.fail('no volume'))) ?? expect.fail('not leased');
  const heard: (VolumeRow | undefined)[] = [];
  const lease = leaseOf(p.components, row, (next) => void heard.push(next));
  const now = async (): Promise<VolumeRow> =>
    (await readVolume(world.panda, CELL, row.id)) ?? expect.fail('the volume is gone');
  return { world, p, row, lease, heard, now };
}

/** The next transaction's answer is lost; it was done, or these were in its place. */
function lose(panda: MemoryPanda, instead?: readonly Write[]): void {
  const transact = panda.transact.bind(panda);
  panda.transact = async (writes) => {
    panda.transact = transact;
    if (instead === undefined || instead.length > 0) await transact(instead ?? writes);
    throw unknownOutcome('PANDA_UNKNOWN', 'lost');
  };
}

const changed = (row: VolumeRow, set: Attributes, remove: readonly string[] = []): Write => ({
  ...{ kind: 'update', ...volumeKey(CELL, row.id), set, remove },
});

describe('a lease given back', () => {
  it('is free, and so is one whose answer was lost', async () => {
    for (const isLost of [false, true]) {
      const { world, row, lease, heard, now } = await leased();
      if (isLost) lose(world.panda);
      await lease.release();
      expect(await now()).toMatchObject({ owner: undefined, token: row.token, nextSeq: row.nextSeq });
      expect(heard).toMatchObject([{ id: row.id, owner: undefined, expiresAtMs: 0 }]);
    }
  });

  it('is not known to be free if another has it, even one that has given it back, or if it is held still', async () => {
    for (const change of [{ t: 90 }, { t: 90, o: 'another' }] as readonly Attributes[]) {
      const { world, row, lease, heard } = await leased();
      lose(world.panda, [changed(row, change, 'o' in change ? [] : ['o'])]);
      await lease.release();
      expect(heard).toEqual([undefined]);
    }
    const { world, row, lease, heard, now } = await leased();
    // Nothing was done at all: it is sent again.
    lose(world.panda, []);
    await lease.release();
    expect(heard).toMatchObject([{ owner: undefined }]);
    expect(await now()).toMatchObject({ owner: undefined, token: row.token });
  });

  it('is lost where Panda is busy for good; a mistake comes out, and both are heard of once', async () => {
    for (const [error, comesOut] of [
      [retryLater('PANDA_BUSY', 'busy'), false],
      [new TypeError('a mistake'), true],
    ] as const) {
      const { world, lease, heard } = await leased();
      world.panda.transact = () => Promise.reject(error);
      const released = lease.release();
      if (comesOut) await expect(released).rejects.toBe(error);
      else await released;
      expect(heard).toEqual([undefined]);
    }
  });

  it('burns a number, and the bytes that were left', async () => {
    const { row, lease, heard, now } = await leased();
    await lease.burn([7]);
    const used = row.extentUsedBytes.map((bytes, i) => bytes + (i === 0 ? 7 : 0));
    expect(await now()).toMatchObject({ nextSeq: row.nextSeq + 1, extentUsedBytes: used, owner: undefined });
    expect(heard).toMatchObject([{ nextSeq: row.nextSeq + 1, extentUsedBytes: used }]);
  });
});

describe('leases that are ended', () => {
  const pending = async (p: Process, row: VolumeRow): Promise<void> => {
    await p.components.panda.transact([changed(row, { p: row.nextSeq - 1 })]);
  };

  it('have another token, and nobody holds them; what was pending is recovered', async () => {
    for (const isPending of [false, true]) {
      const { p, row, now } = await leased();
      if (isPending) await pending(p, row);
      expect(await endLeases(p.components)).toBe(1);
      const after = await now();
      expect(after).toMatchObject({ owner: undefined, pendingSeq: undefined });
      expect(after.token).toBeGreaterThan(row.token);
      expect(await endLeases(p.components)).toBe(0);
    }
  });

  it('are as good as ended where somebody else was quicker; a mistake comes out', async () => {
    const { p, world, row } = await leased();
    await pending(p, row);
    const transact = world.panda.transact.bind(world.panda);
    let calls = 0;
    world.panda.transact = async (writes) => {
      // The lease is had; then another one has it.
      if (++calls === 2) await transact([changed(row, { t: 95 })]);
      return transact(writes);
    };
    expect(await endLeases(p.components)).toBe(1);
    const mistake = new TypeError('a mistake');
    calls = 0;
    world.panda.transact = (writes) => (++calls >= 2 ? Promise.reject(mistake) : transact(writes));
    await expect(endLeases(p.components)).rejects.toBe(mistake);
  });
});
