// A stage that takes data faster than it cools, for as long as many times its hot tier takes. Events are queued, as Lambda queues them: a put
// never waits for what it called for.
import { describe, expect, it } from 'vitest';
import { HOUR_MS } from '../../lib/foundation/durations.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { expectSound } from '../store/recount.ts';
import { incompressible } from '../store/sealed-overhead.ts';
import { Filling, HOT_VOLUMES } from './filling.ts';

describe('a stage under pressure', () => {
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
});
