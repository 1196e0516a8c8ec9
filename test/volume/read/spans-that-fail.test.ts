// Spans of records whose reads fail: what is said to be nothing, what is rebuilt, and what comes out since it is no fault of a column.
import { describe, expect, it } from 'vitest';
import { driveBusy, driveUnavailable } from '../../../lib/drive/errors.ts';
import { corrupt } from '../../../lib/foundation/errors.ts';
import { readSpan, spansOf } from '../../../lib/volume/read/read-spans.ts';
import { ReadingWorld, type Stored } from '../reading-world.ts';

async function span() {
  const world = new ReadingWorld({ warm: 'xor-2-1' });
  const [stored] = (await world.append([300])) as [Stored];
  const volume = await world.volumeOf(stored);
  const store = world.restart();
  const place = (await store.records.placeOf(stored)) ?? expect.fail('nowhere');
  const [one] = spansOf([{ item: stored, place }]);
  if (one === undefined) return expect.fail('no span');
  const failing = (error: Error, columns = [0, 1, 2]): Promise<Uint8Array | undefined> => {
    for (const column of columns) world.driveOf(volume, column).read = () => Promise.reject(error);
    return readSpan(store, one);
  };
  return { world, volume, stored, column: place.column, failing, read: () => readSpan(store, one) };
}

describe('a span', () => {
  it('of a drive that is there after all is nothing; of one that is away by then it is rebuilt', async () => {
    const missing = await span();
    expect(await missing.failing(corrupt('CHUNK_MALFORMED', ''), [missing.column])).toBeUndefined();
    const away = await span();
    expect(await away.failing(driveUnavailable('d', ''), [away.column])).toEqual(away.stored.record);
    const busy = await span();
    expect(await busy.failing(driveBusy('d', ''), [busy.column])).toEqual(busy.stored.record);
  });

  it('is nothing if it cannot be rebuilt, either', async () => {
    const { failing } = await span();
    expect(await failing(driveUnavailable('d', ''))).toBeUndefined();
  });

  it('lets mistakes out, and what only a newer release can read', async () => {
    const errors = [new TypeError('a mistake'), corrupt('CHUNK_VERSION', '')];
    for (const error of errors) {
      const { failing, column } = await span();
      await expect(failing(error, [column])).rejects.toBe(error);
      const rebuilt = await span();
      await rebuilt.failing(driveUnavailable('d', ''), [rebuilt.column]);
      const others = [0, 1, 2].filter((other) => other !== rebuilt.column);
      await expect(rebuilt.failing(error, others)).rejects.toBe(error);
    }
  });
});
