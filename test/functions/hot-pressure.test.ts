// A stage that takes data faster than it cools: puts see how full the hot tier is and call for encoders, which take the oldest volumes whatever
// their age. Events are queued, as Lambda queues them: a put never waits for what it called for.
import { describe, expect, it } from 'vitest';
import { encoderCall } from '../../lib/client/aws/aws-encoder.ts';
import { HOUR_MS, SECOND_MS } from '../../lib/foundation/durations.ts';
import type { PressureSignal } from '../../lib/frontend/hot-gauge.ts';
import { hotPressureOf } from '../../lib/live-coder/hot-pressure.ts';
import { FrontendService } from '../../lib/service/service.ts';
import { HOT_METRICS } from '../../lib/settings/metric-names.ts';
import type { Settings } from '../../lib/settings/settings.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { takeRun } from '../../lib/volume/runs/runs.ts';
import { TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { incompressible } from '../store/sealed-overhead.ts';
import { Stage } from './stage.ts';

const HOT_VOLUMES = 24;
/** As `personal`, a thousandth of the size: what is hot cools for a day, and what is retired is kept for another. */
const SETTINGS: Settings = {
  ...TINY,
  warmCodec: 'rs-6-3',
  encodeAfterMs: 24 * HOUR_MS,
  trashGraceMs: 24 * HOUR_MS,
  hotBytesMax: HOT_VOLUMES * 4 * TINY.extentBytes,
};
const BATCH = 50;

class Filling {
  readonly world = new World(21, SETTINGS);
  readonly stage = new Stage(this.world);
  readonly service: FrontendService;
  /** Called for, not yet worked off. */
  calls = 0;
  #next = 0;

  constructor(isCalling = true) {
    const call: PressureSignal = async () => void this.calls++;
    this.service = new FrontendService(this.world.start().volumes, isCalling ? call : undefined);
  }

  /** Fifty objects in ten seconds; the codes of those that were refused. */
  async put(): Promise<string[]> {
    const objects = Array.from({ length: BATCH }, () => this.#next++).map((i) => ({
      key: `o${i}`,
      body: incompressible(1000, i),
    }));
    const outcomes = await this.service.put('default', objects);
    this.world.clock.advance(10 * SECOND_MS);
    return outcomes.flatMap((outcome) => (outcome.ok ? [] : [(outcome.error as Error & { code: string }).code]));
  }

  async share(): Promise<number> {
    return hotPressureOf(await listVolumes(this.world.panda, 'c0'), SETTINGS).share;
  }
}

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

  it('takes many times what the hot tier holds within an hour, as encoders are called for', async () => {
    const filling = new Filling();
    let [passes, highest] = [0, 0];
    const startMs = filling.world.clock.nowMs();
    for (let batch = 0; batch < 6 * HOT_VOLUMES; batch++) {
      expect(await filling.put(), `batch ${batch}`).toEqual([]);
      highest = Math.max(highest, await filling.share());
      for (; filling.calls > 0; filling.calls--) {
        await filling.stage.invoke('encoder', { pressure: true });
        passes += 1;
      }
    }
    expect(filling.world.clock.nowMs() - startMs).toBeLessThan(HOUR_MS);
    expect(passes).toBeGreaterThan(4);
    expect(highest).toBeLessThan(0.9);
    const volumes = await listVolumes(filling.world.panda, 'c0');
    // Nothing that was retired is forgotten before its grace; it is in nobody's way.
    expect(volumes.filter(({ class: cls, state }) => cls === 'hot' && state === 'trash').length).toBeGreaterThan(
      HOT_VOLUMES,
    );
    expect((await filling.service.read('default', 'o0')).body).toEqual(incompressible(1000, 0));
    await expectSound(filling.world.start());
  });

  it('takes the oldest first, and no more than has to go', async () => {
    const filling = new Filling(false);
    while ((await filling.share()) < 0.7) await filling.put();
    const volumes = await listVolumes(filling.world.panda, 'c0');
    const { pressed, isHigh } = hotPressureOf(volumes, SETTINGS);
    expect(isHigh).toBe(true);
    expect(pressed.size).toBe(volumes.length - Math.floor(0.375 * HOT_VOLUMES));
    const sealed = volumes.filter(({ state }) => state === 'sealed');
    const youngest = Math.max(...sealed.filter(({ id }) => pressed.has(id)).map(({ sealedAtMs = 0 }) => sealedAtMs));
    for (const { id, sealedAtMs = 0 } of sealed)
      if (!pressed.has(id)) expect(sealedAtMs).toBeGreaterThanOrEqual(youngest);
    expect(hotPressureOf(volumes.slice(0, 8), SETTINGS)).toMatchObject({ isHigh: false, pressed: new Set() });
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
