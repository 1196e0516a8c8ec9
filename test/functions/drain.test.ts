// L3 on a stage, on memory bodies: the drainer fills the queue, batches of it go through the Live Coder, twice, lost and poisoned too.
import { describe, expect, it } from 'vitest';
import { endDrains, NOTHING_TO_DRAIN } from '../../lib/compaction/do/drainer.ts';
import { workDelivered } from '../../lib/compaction/move/l3/delivered.ts';
import { listJournal } from '../../lib/compaction/run/journal.ts';
import { scriptedPlan } from '../../lib/foundation/faults.ts';
import type { Reason } from '../../lib/foundation/reason.ts';
import { DEAD_LETTERS_MAX } from '../../lib/limits/compaction.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { actorsOf, sealedWorld } from '../compaction/acting-world.ts';
import { expectSound } from '../store/recount.ts';
import { RECEIVES_MAX, Stage } from './stage.ts';

/** Volumes so thin that they are L3's. */
const prepared = sealedWorld({ volumes: 5, filesEach: 90, deletedEach: () => 86 });

/** The same store anew for every test. */
async function sparse() {
  const made = await prepared;
  const world = made.world.clone();
  return { world, model: made.model.clone(), p: world.start(), stage: new Stage(world) };
}
type Sparse = Awaited<ReturnType<typeof sparse>>;

async function expectDrained({ stage, p, world, model }: Sparse): Promise<void> {
  const volumes = await listVolumes(p.components.panda, p.components.settings.cell);
  expect(volumes.filter(({ state }) => state === 'draining')).toEqual([]);
  expect(await listJournal(p.components)).toEqual([]);
  expect(await stage.stream.figures()).toMatchObject({ ready: 0, inFlight: 0, dead: 0 });
  const reader = world.start();
  await expectSound(reader);
  await model.expectIn(reader);
}

async function drainAll(stage: Stage): Promise<number> {
  let retired = 0;
  for (let pass = 0; pass < 30; pass++) {
    const answer = await stage.invoke('drainer');
    retired += answer['retired'] as number;
    if ((answer['reason'] as Reason).code === NOTHING_TO_DRAIN) return retired;
    while ((await stage.deliver()).received > 0);
  }
  throw new Error('draining does not end');
}

describe('drainer and live-coder', () => {
  it('drain the sparsest volumes and end their runs', async () => {
    const all = await sparse();
    expect(await all.stage.invoke('drainer')).toMatchObject({ begun: 1, retired: 0, reason: { code: 'FLOWING' } });
    expect((await all.stage.stream.figures()).ready).toBeGreaterThan(0);
    expect(await drainAll(all.stage)).toBeGreaterThan(3);
    await expectDrained(all);
  });

  it('send nothing while messages are on their way, and again what got lost', async () => {
    const all = await sparse();
    const { stage } = all;
    const { sent } = await stage.invoke('drainer');
    expect(await stage.invoke('drainer')).toMatchObject({ sent: 0 });
    const lost = await stage.stream.receive(1000, 1000);
    await stage.stream.ack(lost.map(({ receipt }) => receipt));
    expect(await stage.invoke('drainer')).toMatchObject({ sent });
    await drainAll(stage);
    await expectDrained(all);
  });

  it('take messages twice and in any order', async () => {
    const all = await sparse();
    const { stage } = all;
    await stage.invoke('drainer');
    const bodies = (await stage.stream.receive(1000, 1)).map(({ body }) => body);
    all.world.clock.advance(2);
    await stage.stream.send(bodies.reverse());
    await drainAll(stage);
    await stage.stream.send(bodies);
    while ((await stage.deliver()).received > 0);
    await drainAll(stage);
    await expectDrained(all);
  });

  it('bury poison, stop if there is much of it, and go on by themselves when it is gone', async () => {
    const all = await sparse();
    const { stage } = all;
    const poison = Array.from({ length: DEAD_LETTERS_MAX }, (_, i) => `{"v":1,"run":"none of ours, ${i}"}`);
    await stage.stream.send(poison);
    for (let i = 0; i < RECEIVES_MAX; i++)
      expect(await stage.deliver()).toEqual({ received: poison.length, failed: poison.length });
    expect(await stage.deliver()).toEqual({ received: 0, failed: 0 });
    expect(await stage.stream.figures()).toMatchObject({ dead: poison.length });
    const stopped = await stage.invoke('drainer');
    expect(stopped).toMatchObject({
      sent: 0,
      begun: 0,
      reason: { code: 'DEAD_LETTERS', text: `${poison.length} dead letters: look at them first` },
    });
    await stage.stream.redrive();
    const shown = await stage.stream.receive(poison.length, 1000);
    await stage.stream.ack(shown.map(({ receipt }) => receipt));
    await drainAll(stage);
    await expectDrained(all);
  });

  it('drain beside a dead letter all that is not dead itself, and that too once it is redriven', async () => {
    const all = await sparse();
    const { stage, p } = all;
    const first = await stage.invoke('drainer');
    // Somebody fails at one of them again and again, and the others are lost.
    const [dead, ...others] = await stage.stream.receive(1000, 1000);
    await stage.stream.ack(others.map(({ receipt }) => receipt));
    for (let i = 1; i <= RECEIVES_MAX; i++) {
      await stage.stream.release([dead?.receipt ?? '', `${dead?.id}/${i}`]);
      await stage.stream.receive(1, 1000);
    }
    expect(await stage.stream.figures()).toMatchObject({ ready: 0, inFlight: 0, dead: 1 });
    expect(await stage.invoke('drainer')).toMatchObject({ sent: (first['sent'] as number) - 1 });
    let reason: Reason = { code: 'FLOWING', text: '' };
    for (let pass = 0; pass < 30 && reason.code !== 'DEAD_LETTERS'; pass++) {
      while ((await stage.deliver()).received > 0);
      ({ reason } = (await stage.invoke('drainer')) as { reason: Reason });
    }
    expect(reason).toMatchObject({ code: 'DEAD_LETTERS', text: expect.stringContaining('all that is left') });
    const left = (await listVolumes(p.components.panda, 'c0')).filter(({ state }) => state === 'draining');
    expect(left.map(({ buckets }) => buckets.size)).toEqual([1]);
    expect(await stage.stream.figures()).toMatchObject({ ready: 0, inFlight: 0, dead: 1 });
    expect(await stage.stream.redrive()).toBe(1);
    while ((await stage.deliver()).received > 0);
    await drainAll(stage);
    await expectDrained(all);
  });

  it('forget what was only cut off by time: it has not failed, and no number of short calls makes it a dead letter', async () => {
    const all = await sparse();
    const { stage, world } = all;
    const p = world.start();
    await stage.invoke('drainer');
    const { ready } = await stage.stream.figures();
    for (let call = 0; call <= RECEIVES_MAX; call++) {
      const batch = await stage.stream.receive(1000, 1000);
      expect(batch).toHaveLength(ready);
      const actors = { ...actorsOf(p), stream: stage.stream };
      const { failed } = await workDelivered(actors, stage.stream, batch, AbortSignal.abort());
      expect(failed).toEqual([]);
      await stage.stream.ack(batch.map(({ receipt }) => receipt));
      expect(await stage.stream.figures()).toMatchObject({ ready: 0, inFlight: 0, dead: 0 });
      await stage.invoke('drainer');
    }
    await drainAll(stage);
    await expectDrained(all);
  });

  it('wait for what was queued long ago', async () => {
    const all = await sparse();
    await all.stage.invoke('drainer');
    all.world.clock.advance(20 * 60_000);
    expect(await all.stage.invoke('drainer')).toMatchObject({
      sent: 0,
      reason: { code: 'QUEUE_OLD' },
    });
    await drainAll(all.stage);
    await expectDrained(all);
  });

  it('keep messages hidden while too few drives are there', async () => {
    const all = await sparse();
    const { stage } = all;
    await stage.invoke('drainer');
    const plan = scriptedPlan(({ operation }) => (operation === 'append' ? 'before-error' : 'none'));
    const { received, failed } = await stage.deliver(100, { plan });
    expect(received).toBeGreaterThan(10);
    expect(failed).toBeGreaterThan(0);
    expect(await stage.stream.figures()).toMatchObject({ inFlight: failed, dead: 0 });
    expect(await stage.invoke('drainer')).toMatchObject({ sent: 0 });
    all.world.clock.advance(600_000);
    while ((await stage.deliver()).received > 0);
    await drainAll(stage);
    await expectDrained(all);
  });

  it('slow down when metadata is throttled', async () => {
    const all = await sparse();
    const plan = scriptedPlan(({ port, operation }) =>
      port === 'panda' && operation === 'transact' ? 'before-error' : 'none',
    );
    const answer = await all.stage.invoke('drainer', {}, { plan });
    expect(answer).toMatchObject({ sent: 0, reason: { code: expect.stringContaining('PANDA') } });
    await drainAll(all.stage);
    await expectDrained(all);
  });

  it('are ended by giving the volumes back', async () => {
    const all = await sparse();
    await all.stage.invoke('drainer');
    expect(await endDrains(all.world.start().volumes)).toBe(1);
    while ((await all.stage.deliver()).received > 0);
    await expectDrained(all);
  });
});
