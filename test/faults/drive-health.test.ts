// Which drives a process leaves alone for a while, by what they answered.
import { expect, it } from 'vitest';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { corrupt, retryLater } from '../../lib/foundation/errors.ts';
import { BUSY_DRIVE_REST_MS, REFUSING_DRIVE_REST_MS } from '../../lib/limits/volume.ts';
import { DriveHealth } from '../../lib/volume/rows/drive-health.ts';

it('a drive rests as long as its answer says, until it works, or has room again', () => {
  const clock = new SimulatedClock();
  const health = new DriveHealth(clock);
  health.failed(0, retryLater('DRIVE_FULL', 'full'));
  health.failed(1, retryLater('DRIVE_BUSY', 'busy'));
  health.failed(2, retryLater('DRIVE_FULL', 'full'));
  health.failed(3, corrupt('ROW_MALFORMED', 'not about a drive'));
  health.failed(4, new Error('nor is this'));
  const faults = (): unknown[] => [0, 1, 2, 3, 4].map((drive) => health.fault(drive));
  expect(faults()).toEqual(['DRIVE_FULL', 'DRIVE_BUSY', 'DRIVE_FULL', undefined, undefined]);
  expect([0, 3].map((drive) => health.isHealthy(drive))).toEqual([false, true]);
  health.worked(2);
  expect(faults()).toEqual(['DRIVE_FULL', 'DRIVE_BUSY', undefined, undefined, undefined]);
  health.forgetFull();
  expect(faults()).toEqual([undefined, 'DRIVE_BUSY', undefined, undefined, undefined]);
  clock.advance(BUSY_DRIVE_REST_MS - 1);
  expect(health.fault(1)).toBe('DRIVE_BUSY');
  clock.advance(1);
  expect(health.fault(1)).toBeUndefined();
  health.failed(0, retryLater('DRIVE_FULL', 'full'));
  clock.advance(REFUSING_DRIVE_REST_MS - 1);
  expect(health.fault(0)).toBe('DRIVE_FULL');
  clock.advance(1);
  expect(health.fault(0)).toBeUndefined();
});
