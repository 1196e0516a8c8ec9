// The ladder scrubbed: a damaged copy is written anew from a sound one, what no drive has sound is said, and the rest is
// left as it is.
import { expect, it } from 'vitest';
import { CountingPlan, scriptedPlan } from '../../lib/foundation/faults.ts';
import { type LadderDamage, scrubLadder } from '../../lib/journal/scrub-ladder.ts';
import { ship } from '../../lib/journal/ship.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { expectBack } from './histories.ts';
import { COPIES, dies, JournalWorld } from './world.ts';

const folder = temporaryFolder();
const SEGMENTS = 4;

async function within(seed: number, use: (world: JournalWorld) => Promise<void>): Promise<void> {
  const world = await JournalWorld.make(folder, seed);
  try {
    for (let i = 0; i < SEGMENTS; i++) {
      await world.writeSome();
      await ship(world.start());
    }
    await use(world);
  } finally {
    await world.close();
  }
}

async function scrubbed(world: JournalWorld, plan?: Parameters<JournalWorld['shelvesNow']>[0]) {
  const found: LadderDamage[] = [];
  const ports = { ...world.start(), shelves: world.shelvesNow(plan) };
  const report = await scrubLadder(ports, { onDamage: (one) => found.push(one) });
  return { report, found };
}

/** Flips a bit of the last object of this many drives that have it. */
async function damage(world: JournalWorld, copies: number): Promise<string> {
  const name = (await world.restored()).reached.way.at(-1)?.parts[0]?.name ?? '';
  const having = world.shelves.filter(({ objects }) => objects.has(`0/${name}`)).slice(0, copies);
  expect(having.length).toBe(copies);
  for (const { objects } of having) {
    const bytes = objects.get(`0/${name}`) as Uint8Array;
    bytes[bytes.length - 20] = (bytes[bytes.length - 20] as number) ^ 1;
  }
  return name;
}

const SOUND = { objects: SEGMENTS * COPIES, damaged: 0, replaced: 0, lostSegments: 0, unread: 0, done: true };

it('a sound ladder is read whole, and nothing is said', () =>
  within(1, async (world) => {
    const { report, found } = await scrubbed(world);
    expect(report).toMatchObject(SOUND);
    expect(found).toEqual([]);
  }));

it('a damaged copy is written anew, and is sound the next time', () =>
  within(2, async (world) => {
    const name = await damage(world, 1);
    const { report, found } = await scrubbed(world);
    expect(report).toMatchObject({ ...SOUND, damaged: 1, replaced: 1 });
    expect(found).toMatchObject([{ name, isReplaced: true, error: { code: 'SEGMENT_CORRUPT' } }]);
    expect((await scrubbed(world)).report).toMatchObject(SOUND);
    for (let lost = 0; lost < world.shelves.length; lost++) await expectBack(world, [lost]);
  }));

it('what is damaged everywhere is said, and stays', () =>
  within(3, async (world) => {
    await damage(world, COPIES);
    const { report, found } = await scrubbed(world);
    expect(report).toMatchObject({ ...SOUND, damaged: COPIES, lostSegments: 1 });
    expect(found.map(({ isReplaced }) => isReplaced)).toEqual([false, false]);
  }));

it('a drive that does not answer has no damage', () =>
  within(4, async (world) => {
    const { report } = await scrubbed(world, () =>
      scriptedPlan(({ operation }) => (operation === 'read' ? 'before-error' : 'none')),
    );
    expect(report).toMatchObject({ ...SOUND, objects: 0, unread: SEGMENTS * COPIES });
  }));

it.each(['before', 'after'] as const)('whoever dies %s any call of it leaves what can be restored', async (mode) => {
  let isDead = true;
  for (let at = 1; isDead; at++) {
    await within(5, async (world) => {
      await damage(world, 1);
      const plan = new CountingPlan(at, mode);
      isDead = await dies(() => scrubbed(world, () => plan));
      await expectBack(world);
      expect((await scrubbed(world)).report).toMatchObject({ lostSegments: 0, done: true });
      await expectBack(world);
    });
    expect(at).toBeLessThan(30);
  }
});
