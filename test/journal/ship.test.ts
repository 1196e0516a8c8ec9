// Shipping, merging and restoring against a model: whatever dies, whichever drives are lost, what was shipped is back,
// exactly as it was at some commit not before the cursor.
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { driveFull, driveUnavailable } from '../../lib/drive/errors.ts';
import type { Shelf } from '../../lib/drive/shelf.ts';
import { CountingPlan, scriptedPlan } from '../../lib/foundation/faults.ts';
import { parsePartName } from '../../lib/journal/points.ts';
import { Shelves } from '../../lib/journal/shelves.ts';
import { ship, shipSnapshot } from '../../lib/journal/ship.ts';
import { tendLadder } from '../../lib/journal/tend.ts';
import { LADDER_FAN_MAX, WAY_SEGMENTS_MAX } from '../../lib/limits/journal.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { encodeAttributes } from '../../lib/panda/row-encoding.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { expectBack, playHistory } from './histories.ts';
import { COPIES, dies, JournalWorld } from './world.ts';

const folder = temporaryFolder();

async function within(seed: number, use: (world: JournalWorld) => Promise<void>): Promise<void> {
  const world = await JournalWorld.make(folder, seed);
  try {
    await use(world);
  } finally {
    await world.close();
  }
}

describe('the journal', () => {
  it('is shipped as a snapshot first, then as what changed, on as many drives as must have it', () =>
    within(1, async (world) => {
      const process = world.start();
      expect((await ship(process)).segment?.level).toBe('snapshot');
      expect((await ship(process)).segment).toBeUndefined();
      await world.writeSome();
      await world.writeSome();
      const { segment } = await ship(process);
      expect(segment).toMatchObject({ level: 0, to: { sequence: 3 } });
      expect(segment?.parts.map(({ drives }) => drives.length)).toEqual([COPIES]);
      const back = await world.restored();
      expect(back.reached.way.length).toBe(2);
      await expectBack(world);
    }));

  it('holds no more than is waiting, and its numbers go on', () =>
    within(2, async (world) => {
      const process = world.start();
      for (let i = 0; i < 5; i++) {
        await world.writeSome();
        await ship(process);
      }
      const view = await world.source.look();
      expect(view.waiting).toEqual({ commits: 0, sinceMs: undefined });
      expect(view.tip?.sequence).toBe(6);
      view.close();
    }));

  it('is read in a dozen and a half segments at the most, however long', () =>
    within(3, async (world) => {
      const process = world.start();
      let longest = 0;
      for (let i = 0; i < 70; i++) {
        await world.writeSome();
        await ship(process);
        await tendLadder(process);
        world.clock.advance(600_000);
        if (i % 10 === 0) longest = Math.max(longest, (await world.restored()).reached.way.length);
      }
      expect(longest).toBeLessThanOrEqual(WAY_SEGMENTS_MAX + 1);
      await expectBack(world);
      const objects = world.shelves.reduce((sum, { objects: { size } }) => sum + size, 0);
      expect(objects).toBeLessThan(70 * COPIES);
    }));

  it('goes on past a drive that is lost, and a snapshot makes the copies whole again', () =>
    within(4, async (world) => {
      const process = world.start();
      await ship(process);
      await world.writeSome();
      await ship(process);
      await expectBack(world, [0]);
      await expectBack(world, [1]);
      const left = { ...process, shelvesOf: () => world.shelvesNow(undefined, [1]) };
      await world.writeSome();
      await ship(left);
      expect((await tendLadder(left))?.snapshot).toBe('copies');
      expect((await tendLadder(left))?.snapshot).toBe('none');
      for (const other of [0, 2, 3]) await expectBack(world, [1, other]);
    }));

  it('says so when too few drives take it, keeps what waits, and ships it later', () =>
    within(5, async (world) => {
      const full = scriptedPlan(({ operation }) => (operation === 'put' ? 'before-error' : 'none'));
      const process = world.start(() => full);
      await expect(ship(process)).rejects.toMatchObject({ kind: 'retry', code: 'JOURNAL_UNSHIPPED' });
      await ship(world.start());
      await expectBack(world);
    }));

  it('gives back what one drive took where the others are full, and leaves it where they are away', () =>
    within(7, async (world) => {
      const held = (): number => world.shelves.reduce((sum, { objects }) => sum + objects.size, 0);
      const shippedWith = (error: (label: string) => Error) => {
        const places = world.shelves.map((shelf, drive) => {
          const { label } = shelf;
          const refusing: Shelf = {
            label,
            put: async (...args) => {
              if (drive > 0) throw error(label);
              return shelf.put(...args);
            },
            read: (...args) => shelf.read(...args),
            list: () => shelf.list(),
            remove: (...args) => shelf.remove(...args),
          };
          return { drive, shelf: refusing, domain: `${drive}`, isActive: true };
        });
        return ship({ ...world.start(), shelvesOf: () => new Shelves(places, COPIES) });
      };
      await expect(shippedWith(driveFull)).rejects.toMatchObject({ code: 'JOURNAL_UNSHIPPED' });
      expect(held()).toBe(0);
      const away = (label: string) => driveUnavailable(label, 'cannot be reached');
      await expect(shippedWith(away)).rejects.toMatchObject({ code: 'JOURNAL_UNSHIPPED' });
      expect(held()).toBe(1);
      await ship(world.start());
      await expectBack(world);
    }));

  it('finds its way past an object that is torn, damaged or of another name', () =>
    within(6, async (world) => {
      const process = world.start();
      for (let i = 0; i < 3; i++) {
        await world.writeSome();
        await ship(process);
      }
      const way = (await world.restored()).reached.way;
      const last = way.at(-1)?.parts[0];
      const shelf = world.shelves[last?.drives[0] ?? 0];
      const bytes = shelf?.objects.get(`0/${last?.name}`) as Uint8Array;
      bytes[bytes.length - 20] = (bytes[bytes.length - 20] as number) ^ 1;
      await expectBack(world); // from the other copy
      const other = world.shelves[last?.drives[1] ?? 0];
      await other?.remove(0, [last?.name ?? '']);
      const back = await world.restored();
      expect(back.damaged).toBe(1);
      expect(back.reached.point.sequence).toBe(3); // all but the last
      expect(back.contents).toEqual(world.states[3]);
    }));

  it('two shippers: whoever is second begins anew, and nothing is missing', () =>
    within(7, async (world) => {
      const [a, b] = [world.start(), world.start()];
      await ship(a);
      for (let i = 0; i < 10; i++) {
        await world.writeSome();
        await Promise.all([ship(a), world.writeSome().then(() => ship(b)), tendLadder(a), tendLadder(b)]);
        await expectBack(world);
      }
    }));

  it('a snapshot is at the cursor: what is shipped later leads on from it', () =>
    within(8, async (world) => {
      const [a, b] = [world.start(), world.start()];
      await ship(a);
      await world.writeSome();
      const snapshot = await shipSnapshot(a, true);
      expect(snapshot?.level).toBe('snapshot');
      await world.writeSome();
      await ship(b);
      const { way } = (await world.restored()).reached;
      expect(way.map(({ level }) => level)).toEqual(['snapshot', 0]);
      expect(way[0]?.id).toBe(snapshot?.id);
    }));

  it('a snapshot that whoever tends merged across, by a list from before it, is made again further on', () =>
    within(12, async (world) => {
      const [a, b] = [world.start(), world.start()];
      await ship(a);
      for (let i = 1; i < LADDER_FAN_MAX; i++) {
        await world.writeSome();
        await ship(b);
      }
      const mergesAcross = async (hidden: string): Promise<void> => {
        await world.writeSome();
        await ship(b);
        world.clock.advance(10 * 60_000);
        const tended = await tendLadder({
          ...b,
          shelvesOf: (view) => {
            const shelves = b.shelvesOf(view);
            const list = shelves.list.bind(shelves);
            shelves.list = async () => {
              const ladder = await list();
              return { ...ladder, segments: ladder.segments.filter(({ id }) => id !== hidden) };
            };
            return shelves;
          },
        });
        expect(tended).toMatchObject({ merges: 1, snapshot: 'none' });
      };
      let isMerged = false;
      const snapshot = await shipSnapshot(
        {
          ...a,
          shelvesOf: (view) => {
            const shelves = a.shelvesOf(view);
            const read = shelves.read.bind(shelves);
            shelves.read = async (epoch, name, ...rest) => {
              const found = parsePartName(name);
              if (!isMerged && found?.level === 'snapshot' && found.to.sequence > 1) {
                isMerged = true;
                await mergesAcross(found.id);
              }
              return read(epoch, name, ...rest);
            };
            return shelves;
          },
        },
        true,
      );
      const { reached } = await world.restored();
      expect(isMerged).toBe(true);
      expect(reached.way.map(({ id }) => id)).toEqual([snapshot?.id]);
      await expectBack(world);
    }));

  it('gives back an earlier time, as far as it goes', () =>
    within(9, async (world) => {
      const process = world.start();
      const startMs = world.clock.nowMs();
      await ship(process);
      for (let i = 1; i <= 20; i++) {
        world.clock.advance(1000);
        await world.writeSome();
        await ship(process);
        await tendLadder(process);
      }
      for (const second of [0, 3, 11, 20]) {
        const back = await world.restored([], startMs + second * 1000 + 500);
        expect(back.reached.point.sequence).toBe(second + 1);
        expect(back.contents).toEqual(world.states[second + 1]);
      }
      await expect(world.restored([], startMs - 1)).rejects.toMatchObject({ code: 'JOURNAL_TOO_YOUNG' });
    }));
});

describe('a damaged row', () => {
  const ill = { partition: 'p/1', sort: 'ill' };
  const put = (n: number): Write => ({ kind: 'put', ...ill, attributes: { n } });
  const other = (n: number): Write => ({ kind: 'put', partition: 'p/1', sort: `other-${n}`, attributes: { n } });
  const shippedOf = async (world: JournalWorld) => (await world.restored()).contents;
  const namedBy = async (world: JournalWorld): Promise<string[]> => {
    const view = await world.source.look();
    const named = view.passedOver().map(({ sort }) => sort);
    view.close();
    return named;
  };
  function damage({ panda }: JournalWorld): void {
    const file = new DatabaseSync(panda.path);
    file.prepare("UPDATE rows SET value = x'ffff00' WHERE partition = ? AND sort = ?").run(ill.partition, ill.sort);
    file.close();
  }

  it('keeps nothing else from being shipped; it is named, and what was shipped of it stays', () =>
    within(30, async (world) => {
      const process = world.start();
      await world.write([put(1), other(1)]);
      await ship(process);
      await world.write([put(2), other(2)]);
      damage(world);
      expect((await ship(process)).segment?.level).toBe(0);
      const expected = new Map(world.states.at(-1)).set('p/1|ill', encodeAttributes({ n: 1 }));
      expect(await shippedOf(world)).toEqual(expected);
      expect(await namedBy(world)).toEqual(['ill']);
      for (let i = 3; i < 8; i++) {
        await world.write([other(i)]);
        await ship(process);
        await tendLadder(process);
        expected.set(`p/1|other-${i}`, encodeAttributes({ n: i }));
        expect(await shippedOf(world)).toEqual(expected);
      }
      expect(await namedBy(world)).toEqual(['ill']);
      await shipSnapshot(process, true);
      const back = await world.restored();
      expect(back.reached.way.map(({ level }) => level)).toEqual(['snapshot']);
      expect(back.contents).toEqual(expected);
      await world.write([put(9)]);
      await ship(process);
      expect(await namedBy(world)).toEqual([]);
      await expectBack(world);
    }));

  it('that did not change since is found by a snapshot, which has it as it was', () =>
    within(31, async (world) => {
      const process = world.start();
      await world.write([put(1), other(1)]);
      await ship(process);
      damage(world);
      await shipSnapshot(process);
      expect(await namedBy(world)).toEqual(['ill']);
      await expectBack(world);
    }));
});

describe('a process that dies', () => {
  it.each(['before', 'after'] as const)('%s any call of shipping, merging or a snapshot', (mode) =>
    within(20, async (world) => {
      await ship(world.start());
      for (let at = 1; ; at++) {
        await world.writeSome();
        const plan = new CountingPlan(at, mode);
        const dying = world.start(() => plan);
        const isDead = await dies(async () => {
          for (let i = 0; i < 3; i++) {
            await world.writeSome();
            await ship(dying);
          }
          await tendLadder(dying);
          await shipSnapshot(dying);
        });
        await expectBack(world);
        await ship(world.start());
        await tendLadder(world.start());
        await expectBack(world, [at % 4]);
        if (!isDead) break;
        expect(at).toBeLessThan(200);
      }
    }),
  );
});

describe('histories', () => {
  it('of writes, shippings, deaths, drives lost and restores fit the model', async () => {
    for (let seed = 100; seed < 120; seed++) await playHistory(folder, seed);
  });
});
