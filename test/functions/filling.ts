// A stage that is filled faster than it cools: batches of fifty objects, each ten seconds after the one before.
import { HOUR_MS, SECOND_MS } from '../../lib/foundation/durations.ts';
import type { PressureSignal } from '../../lib/frontend/hot-gauge.ts';
import { hotPressureOf } from '../../lib/live-coder/hot-pressure.ts';
import { FrontendService } from '../../lib/service/service.ts';
import type { Settings } from '../../lib/settings/settings.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { TINY, World } from '../store/harness.ts';
import { incompressible } from '../store/sealed-overhead.ts';
import { Stage } from './stage.ts';

export const HOT_VOLUMES = 24;
/** As `personal`, a thousandth of the size: what is hot cools for a day, and what is retired is kept for another. */
export const FILLED: Settings = {
  ...TINY,
  warmCodec: 'rs-6-3',
  encodeAfterMs: 24 * HOUR_MS,
  trashGraceMs: 24 * HOUR_MS,
  hotBytesMax: HOT_VOLUMES * 4 * TINY.extentBytes,
};
const BATCH = 50;

export class Filling {
  readonly world = new World(21, FILLED);
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
    return hotPressureOf(await listVolumes(this.world.panda, 'c0'), FILLED).share;
  }
}
