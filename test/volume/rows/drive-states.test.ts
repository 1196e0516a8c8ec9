// What a process knows of the drives by their rows: read now and then, and believed in between.
import { describe, expect, it } from 'vitest';
import { MemoryDrive } from '../../../lib/drive/memory-drive.ts';
import { SimulatedClock } from '../../../lib/foundation/clock.ts';
import { retryLater } from '../../../lib/foundation/errors.ts';
import { DRIVE_STATES_READ_EVERY_MS } from '../../../lib/limits/volume.ts';
import { DRIVE_STATES, driveAttributes, driveKey } from '../../../lib/panda/rows/drives/drive-row.ts';
import type { Components } from '../../../lib/volume/rows/components.ts';
import { DriveStates, domainOf, isActive, isGone, readDriveRows } from '../../../lib/volume/rows/drive-states.ts';
import { ToldPanda } from './told-panda.ts';

function storeOf(drives: number) {
  const panda = new ToldPanda();
  const clock = new SimulatedClock();
  let found = 0;
  const components = {
    clock,
    panda,
    drives: Array.from({ length: drives }, (_, i) => new MemoryDrive(`d${i}`)),
    findDrives: async () => {
      found += 1;
    },
  };
  const states = new DriveStates(components as unknown as Components);
  return { panda, clock, components, states, found: () => found };
}

const row = (state: (typeof DRIVE_STATES)[number], domain?: string) =>
  driveAttributes({ state, change: 1, sinceMs: 1, domain });

describe('rows of drives', () => {
  it('are believed for a while, and read again behind it or once somebody has changed them', async () => {
    const { panda, clock, states } = storeOf(2);
    const keys = async () => [...(await states.read()).keys()];
    expect(await keys()).toEqual([]);
    expect(panda.taken()).toEqual(['query drive']);
    await panda.plant(driveKey(1), row('draining'));
    clock.advance(DRIVE_STATES_READ_EVERY_MS - 1);
    expect(await keys()).toEqual([]);
    expect(panda.taken()).toEqual([]);
    clock.advance(1);
    expect(await keys()).toEqual([1]);
    expect(panda.taken()).toEqual(['query drive']);
    clock.advance(DRIVE_STATES_READ_EVERY_MS - 1);
    await states.read();
    expect(panda.taken()).toEqual([]);
    states.forget();
    await states.read();
    expect(panda.taken()).toEqual(['query drive']);
  });

  it('of a drive that is not known yet are a reason to ask which there are', async () => {
    const { panda, states, found } = storeOf(2);
    await panda.plant(driveKey(0), row('active'));
    await panda.plant(driveKey(1), row('lost'));
    await states.read();
    expect(found()).toBe(0);
    await panda.plant(driveKey(2), row('active'));
    await states.read();
    expect(found()).toBe(0);
    states.forget();
    await states.read();
    expect(found()).toBe(1);
    await states.read();
    expect(found()).toBe(1);
  });

  it('are read again at once if drives could not be asked for', async () => {
    const { panda, components, states } = storeOf(0);
    await panda.plant(driveKey(0), row('active'));
    const busy = retryLater('PANDA_BUSY', 'busy');
    components.findDrives = () => Promise.reject(busy);
    for (let i = 0; i < 2; i++) await expect(states.read()).rejects.toBe(busy);
    expect(panda.taken()).toEqual(['query drive', 'query drive']);
    components.findDrives = undefined as never;
    expect((await states.read()).size).toBe(1);
  });

  it('say what a drive is good for; without one it is active, and a domain of its own', async () => {
    const { panda } = storeOf(0);
    for (const [drive, state] of DRIVE_STATES.entries())
      await panda.plant(driveKey(drive), row(state, `room ${drive % 2}`));
    const rows = await readDriveRows({ panda });
    const told = [0, 1, 2, 3, 4].map((drive) => [isActive(rows, drive), isGone(rows, drive), domainOf(rows, drive)]);
    expect(DRIVE_STATES).toEqual(['active', 'draining', 'lost', 'retired']);
    expect(told).toEqual([
      [true, false, 'room 0'],
      [false, false, 'room 1'],
      [false, true, 'room 0'],
      [false, true, 'room 1'],
      [true, false, 'drive 4'],
    ]);
  });
});
