// GC where there is some room, and where there is little: what it shreds and codes leaves enough for what it ships.
import { describe, expect, it } from 'vitest';
import { Portions } from '../../lib/engine/ship/portions.ts';
import { reclaim } from '../../lib/engine/upkeep/reclaim.ts';
import type { DiskRoom } from '../../lib/engine/wire/engine-store.ts';
import { retryLater } from '../../lib/foundation/errors.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { deleteFiles, filesOf, putFiles, SMALL } from '../compaction/acting-world.ts';
import { Model } from '../store/crash.ts';
import { World } from '../store/harness.ts';

const KEPT = { ...SMALL, deleteGraceMs: 0, encodeAfterMs: 86_400_000 };

async function filled(count: number, bytes: number) {
  const p = new World(11, KEPT).start();
  const model = new Model();
  const files = filesOf(1, count, bytes);
  await putFiles(p, model, files);
  return { p, model, keys: [...files.keys()] };
}

describe('what a hot volume takes once it is coded', () => {
  it.each([
    ['of tiny objects', 60, 30],
    ['of larger ones', 12, 3000],
  ])('%s is no more than is asked for', async (_of, count, bytes) => {
    const { p } = await filled(count, bytes);
    await p.volumes.open.sealAll('hot');
    let asked = 0;
    const roomFor = async (codedBytes: number) => {
      asked += codedBytes;
      return undefined;
    };
    await encodeHot(p.volumes, { force: true, flush: true, roomFor });
    await p.volumes.open.sealAll('warm');
    const warm = (await listVolumes(p.components.panda, KEPT.cell)).filter((v) => v.class === 'warm');
    const used = warm.flatMap((v) => v.extentUsedBytes).reduce((sum, one) => sum + one, 0);
    expect(used).toBeGreaterThan(0);
    expect(asked).toBeGreaterThanOrEqual(used);
    expect(asked).toBeLessThan(3 * used);
  });

  it('is not begun where there is no room for it', async () => {
    const { p } = await filled(12, 3000);
    await p.volumes.open.sealAll('hot');
    const reason = { code: 'DISK_FULL', text: 'no room' } as const;
    const report = await encodeHot(p.volumes, { force: true, flush: true, roomFor: async () => reason });
    expect(report).toMatchObject({ sources: 0, recordBytes: 0, stalled: reason });
    expect((await listVolumes(p.components.panda, KEPT.cell)).map((v) => v.class)).not.toContain('warm');
  });
});

/** Shipping works for so many portions; then it does again once somebody frees space in earnest. */
class Disk implements DiskRoom {
  readonly said: string[] = [];
  readonly #isShortThen: boolean;
  #portions: number;
  #times = 0;

  constructor(portions: number, isShortThen: boolean) {
    this.#portions = portions;
    this.#isShortThen = isShortThen;
  }

  async beforeFreeing(): Promise<boolean> {
    const isShort = this.#times++ > 0 && this.#isShortThen;
    this.said.push(isShort ? 'short' : 'at ease');
    if (isShort) this.#portions = Number.POSITIVE_INFINITY;
    return isShort;
  }

  afterFreeing(): void {
    this.said.push('done');
  }

  shredding(): Portions {
    const ship = async () => {
      if (this.#portions-- <= 0) throw retryLater('JOURNAL_UNSHIPPED', 'no space left');
      this.said.push('shipped');
    };
    return new Portions({ copies: 30, roomBytes: async () => 70_000, ship }, { leastBytes: 0, keptBytes: 0 });
  }

  readonly isShort = async (): Promise<boolean> => false;
  readonly isFull = async (): Promise<boolean> => false;
  readonly roomFor = async (): Promise<undefined> => undefined;
}

describe('GC on a disk that had some room', () => {
  it.each([
    [9, true, ['at ease', 'shipped', 'shipped', 'shipped', 'done']],
    [1, true, ['at ease', 'shipped', 'short', 'shipped', 'shipped', 'done', 'done']],
    [1, false, ['at ease', 'shipped', 'at ease', 'done', 'done']],
  ])('that ships %i portions, and is short then (%s), shreds all', async (portions, isShortThen, said) => {
    const { p, model, keys } = await filled(30, 500);
    await deleteFiles(p, model, keys);
    const disk = new Disk(portions, isShortThen);
    const report = await reclaim({ ...p, disk, queue: new MemoryStream(p.components.clock) } as never);
    expect(report.slots).toBe(30);
    expect(disk.said).toEqual(said);
    expect(await listVolumes(p.components.panda, KEPT.cell)).toEqual([]);
  });
});
