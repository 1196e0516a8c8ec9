// A stage that takes data faster than it cools: puts see how full the hot tier is and call for encoders, which take the oldest volumes whatever
// their age. Events are queued, as Lambda queues them: a put never waits for what it called for.
import { describe, expect, it } from 'vitest';
import { encoderCall } from '../../lib/client/aws/aws-encoder.ts';
import { Frontend } from '../../lib/frontend/frontend.ts';
import { holdMs } from '../../lib/frontend/hot-gauge.ts';
import { hotPressureOf } from '../../lib/live-coder/hot-pressure.ts';
import { HOT_METRICS } from '../../lib/settings/metric-names.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { takeRun } from '../../lib/volume/runs/runs.ts';
import { incompressible } from '../store/sealed-overhead.ts';
import { FILLED, Filling, HOT_VOLUMES } from './filling.ts';

describe('a stage under pressure', () => {
  it('without anybody who encodes refuses puts, and one pass of the schedule makes room, not a day', async () => {
    const filling = new Filling(false);
    let refused: string[] = [];
    for (let batch = 0; batch < 2 * HOT_VOLUMES && refused.length === 0; batch++) refused = await filling.put();
    expect(new Set(refused)).toEqual(new Set(['HOT_FULL']));
    await filling.stage.invoke('threshold-tuner');
    expect(filling.stage.gauges.at(-1)?.[HOT_METRICS.hotFullness]).toBeGreaterThan(1);
    expect(await filling.stage.invoke('encoder')).toMatchObject({ done: true });
    expect(await filling.share()).toBeLessThan(0.5);
    expect(await filling.put()).toEqual([]);
  });

  it('refuses parts of long objects as well', async () => {
    const filling = new Filling(false);
    const { upload } = await filling.service.uploadBegin('default', 'long');
    const part = (i: number) => filling.service.uploadPart(upload, i * 50 * 1024, incompressible(50 * 1024, i));
    let parts = 0;
    const refused = await (async () => {
      for (; parts < 200; parts++) {
        await part(parts);
        filling.world.clock.advance(10_000);
      }
    })().catch((error: unknown) => error);
    expect(refused).toMatchObject({ kind: 'retry', code: 'HOT_FULL' });
    expect(await filling.share()).toBeLessThan(1.2);
  });

  it('holds back whoever puts much before it refuses, the longer the fuller it is', async () => {
    expect([0.5, 0.8, 0.9, 1].map((share) => holdMs(share, 4 << 20))).toEqual([0, 0, 1000, 2000]);
    expect(holdMs(1, 4096)).toBeLessThan(5);
    const filling = new Filling(false);
    const heldMs = async (): Promise<number> => {
      const from = filling.world.clock.monotonicMs();
      await new Frontend(filling.world.start().volumes).waitForRoom(4 << 20);
      return filling.world.clock.monotonicMs() - from;
    };
    expect(await heldMs()).toBe(0);
    while ((await filling.share()) < 0.9) await filling.put();
    const held = await heldMs();
    expect(held).toBeGreaterThan(500);
    while ((await filling.share()) < 1) await filling.put();
    expect(await heldMs()).toBeGreaterThan(held);
  });

  it('takes the oldest first, and no more than has to go', async () => {
    const filling = new Filling(false);
    while ((await filling.share()) < 0.7) await filling.put();
    const volumes = await listVolumes(filling.world.panda, 'c0');
    const { pressed, isHigh } = hotPressureOf(volumes, FILLED);
    expect(isHigh).toBe(true);
    expect(pressed.size).toBe(volumes.length - Math.floor(0.375 * HOT_VOLUMES));
    const sealed = volumes.filter(({ state }) => state === 'sealed');
    const youngest = Math.max(...sealed.filter(({ id }) => pressed.has(id)).map(({ sealedAtMs = 0 }) => sealedAtMs));
    for (const { id, sealedAtMs = 0 } of sealed)
      if (!pressed.has(id)) expect(sealedAtMs).toBeGreaterThanOrEqual(youngest);
    expect(hotPressureOf(volumes.slice(0, 8), FILLED)).toMatchObject({ isHigh: false, pressed: new Set() });
  });

  it('needs no further encoder where enough are at work, or nobody has to', async () => {
    const filling = new Filling(false);
    expect(await filling.stage.invoke('encoder', { pressure: true })).toMatchObject({
      stalled: { code: 'HOT_RELIEVED' },
    });
    while ((await filling.share()) < 0.7) await filling.put();
    const sealed = (await listVolumes(filling.world.panda, 'c0')).filter(({ state }) => state === 'sealed');
    const { components } = filling.world.start();
    for (const [i, { id }] of sealed.slice(0, 1).entries())
      await takeRun(components, id, `encode/other${i}/0a` as never);
    expect(await filling.stage.invoke('encoder', { pressure: true })).toMatchObject({
      stalled: { code: 'ENCODERS_AT_WORK' },
      sources: 0,
    });
    expect(await filling.stage.invoke('encoder')).toMatchObject({ done: true });
    expect(await filling.share()).toBeLessThan(0.7);
  });

  it('calls by an event, and a call that is refused is no error of the put', async () => {
    const sent: unknown[] = [];
    const errors: Error[] = [];
    const lambda = {
      send: async ({ input }: { input: unknown }) => {
        sent.push(input);
        throw new Error('Rate exceeded');
      },
    };
    await encoderCall(lambda as never, 'pocketful-dev-c0-encoder', (error) => errors.push(error))();
    expect(sent).toEqual([
      { FunctionName: 'pocketful-dev-c0-encoder', InvocationType: 'Event', Payload: Buffer.from('{"pressure":true}') },
    ]);
    expect(errors).toHaveLength(1);
  });
});
