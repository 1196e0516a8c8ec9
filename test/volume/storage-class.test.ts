// Warm volumes are kept in the class that a stage asks for, whoever writes them; hot ones in none. What costs money at
// each read is read more seldom, and the planner counts by the same class.
import { expect, it } from 'vitest';
import { planNow } from '../../lib/compaction/do/plan-now.ts';
import type { StorageClass } from '../../lib/cost/price-book.ts';
import type { Drive } from '../../lib/drive/drive.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { FrontendService } from '../../lib/service/service.ts';
import { scrubPeriods } from '../../lib/verify/scrub.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { World } from '../store/harness.ts';
import { incompressible } from '../store/sealed-overhead.ts';

type Append = Parameters<Drive['append']>;

function storeIn(warmClass: StorageClass | undefined): { store: VolumeStore; classes: (StorageClass | undefined)[] } {
  const { components } = new World(3).start();
  const classes: (StorageClass | undefined)[] = [];
  const drives = components.drives.map(
    (drive) =>
      new Proxy(drive, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          return (...args: unknown[]): unknown => {
            if (name === 'append') classes.push((args as Append)[4]);
            return value.apply(target, args);
          };
        },
      }),
  );
  return { store: new VolumeStore({ ...components, drives, warmClass }), classes };
}

it.each(['standard-ia', 'glacier-ir', undefined] as const)('warm volumes are written in %s', async (warmClass) => {
  const { store, classes } = storeIn(warmClass);
  const bodies = Array.from({ length: 128 }, (_, i) => ({ key: `k${i}`, body: incompressible(1000, i) }));
  for (const outcome of await new FrontendService(store).put('n', bodies)) expect(outcome.ok).toBe(true);
  expect(new Set(classes)).toEqual(new Set([undefined]));
  classes.length = 0;
  await store.open.sealAll('hot');
  classes.length = 0;
  await encodeHot(store, { force: true, flush: true });
  const groups = classes.length;
  expect(groups).toBeGreaterThan(15);
  await store.open.sealAll('warm');
  // Their directories, too.
  expect(classes.length).toBeGreaterThan(groups);
  expect(new Set(classes)).toEqual(new Set([warmClass]));
  expect((await planNow(store)).plan.settings.storageClass).toBe(warmClass ?? 'standard');
});

it('what costs money at each read is scrubbed more seldom', () => {
  const daysOf = (warmClass?: StorageClass): number => scrubPeriods({ warmClass }).sweepMs / DAY_MS;
  expect([daysOf(), daysOf('standard'), daysOf('standard-ia'), daysOf('glacier-ir')]).toEqual([14, 14, 90, 180]);
});
