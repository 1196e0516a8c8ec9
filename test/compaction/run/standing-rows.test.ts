// What is known of a store between two plans, row by row: the threshold, what the last plan used, budgets and what was spent of them, settings of an
// operator, why the Live Coder stands still. Who is too late changes nothing, a lost answer is no failure, and what nobody needs is not written.
import { describe, expect, it } from 'vitest';
import { noteCrowded } from '../../../lib/compaction/facts/crowded.ts';
import { ASSUMED_RATES, measureRates, readRates } from '../../../lib/compaction/facts/measured-rates.ts';
import { budgetsOf, NOTHING_SPENT, UNLIMITED } from '../../../lib/compaction/plan/budget.ts';
import { coderStall, noteCoder } from '../../../lib/compaction/run/coder-state.ts';
import { knownLanes } from '../../../lib/compaction/run/known-lanes.ts';
import { changeOperating, readOperating } from '../../../lib/compaction/run/operating-row.ts';
import { beginPeriod, charge, metadataWritesLeft, readPeriod } from '../../../lib/compaction/run/period.ts';
import { THRESHOLD_START, thresholdStart } from '../../../lib/compaction/threshold/law.ts';
import { readBudgetUse, readThreshold, writeBudgetUse, writeThreshold } from '../../../lib/compaction/threshold/row.ts';
import { DAY_MS } from '../../../lib/foundation/durations.ts';
import { corrupt, denied, retryLater, unknownOutcome } from '../../../lib/foundation/errors.ts';
import type { VolumeId } from '../../../lib/foundation/ids.ts';
import { SHARED_LANE } from '../../../lib/foundation/lane.ts';
import { OPERATING_ATTEMPTS_MAX, RATE_LOOK_EVERY_MS } from '../../../lib/limits/compaction.ts';
import { PandaConflict } from '../../../lib/panda/conflict.ts';
import { fleetOfFills } from '../fleets.ts';
import { beaten, lostOnce, refusing, undoneOnce, watchedProcess } from './watched-panda.ts';

const LOST = unknownOutcome('PANDA_UNKNOWN', 'lost');
const DENIED = denied('PANDA_DENIED', 'no');
const BUSY = retryLater('PANDA_BUSY', 'not now');

describe('the threshold', () => {
  const state = (threshold: number) => ({ threshold, quick: 1.2, slow: 1.1, atMs: 5 });

  it('is the start until somebody sets it; each next one is a version more', async () => {
    const { components, writes } = watchedProcess();
    const first = await readThreshold(components);
    expect(first).toEqual({ version: 0, state: thresholdStart(THRESHOLD_START) });
    expect(await writeThreshold(components, first, state(0.3))).toBe(true);
    const second = await readThreshold(components);
    expect(second).toEqual({ version: 1, state: state(0.3) });
    expect(await writeThreshold(components, second, thresholdStart(0.4))).toBe(true);
    expect(await readThreshold(components)).toEqual({ version: 2, state: thresholdStart(0.4) });
    for (const late of [first, second]) expect(await writeThreshold(components, late, state(0.9))).toBe(false);
    expect(await readThreshold(components)).toEqual({ version: 2, state: thresholdStart(0.4) });
    expect(new Set(writes)).toEqual(new Set(['put work/threshold state']));
  });

  it('is set although the answer is lost; other errors come out', async () => {
    const { components, state: panda } = watchedProcess();
    lostOnce(panda, LOST);
    expect(await writeThreshold(components, await readThreshold(components), state(0.3))).toBe(true);
    expect(await readThreshold(components)).toEqual({ version: 1, state: state(0.3) });
    panda.answer = refusing(DENIED);
    await expect(writeThreshold(components, await readThreshold(components), state(0.4))).rejects.toBe(DENIED);
  });

  it('that cannot be read is told of', async () => {
    const { components, world } = watchedProcess();
    const key = { partition: 'work/threshold', sort: 'state' };
    for (const attributes of [
      { v: 1, j: '{}' },
      { v: 1, j: 'x' },
      { v: 'x', j: JSON.stringify(state(0.3)) },
    ]) {
      await world.panda.transact([{ kind: 'put', ...key, attributes }]);
      await expect(readThreshold(components)).rejects.toMatchObject({ kind: 'corrupt', code: 'ROW_MALFORMED' });
    }
  });

  it('goes by what the last plan used, in thousandths, all of it at the most', async () => {
    const { components, state: panda } = watchedProcess();
    const seen: number[] = [await readBudgetUse(components)];
    for (const used of [0.1234, 0.9996, 7, 0]) {
      await writeBudgetUse(components, used);
      seen.push(await readBudgetUse(components));
    }
    expect(seen).toEqual([0, 0.123, 1, 1, 0]);
    // It is sent again if nobody can tell whether it was done.
    undoneOnce(panda, LOST);
    await writeBudgetUse(components, 0.5);
    expect(await readBudgetUse(components)).toBe(0.5);
  });
});

describe('budgets', () => {
  const LIMITED = budgetsOf({ metadataWrites: 100, dollars: 2 });

  it('that are not limited are not written down while nothing is done; others are, once', async () => {
    const { components, writes } = watchedProcess();
    expect(await beginPeriod(components, UNLIMITED)).toBe(0);
    expect([await readPeriod(components), await metadataWritesLeft(components), writes]).toEqual([undefined, null, []]);
    expect(await beginPeriod(components, LIMITED)).toBe(0);
    expect(await beginPeriod(components, LIMITED)).toBe(0);
    expect(writes).toEqual(['put work/budget period']);
    expect(await readPeriod(components)).toEqual({ budgets: LIMITED, spent: NOTHING_SPENT });
    expect(await metadataWritesLeft(components)).toBe(100);
    expect(await beginPeriod(components, UNLIMITED)).toBe(0);
    expect([(await readPeriod(components))?.budgets, await metadataWritesLeft(components)]).toEqual([UNLIMITED, null]);
  });

  it('say at the end what part of the scarcest was used, and begin anew', async () => {
    const { components, state } = watchedProcess();
    undoneOnce(state, LOST);
    await beginPeriod(components, LIMITED);
    await charge(components, { ...NOTHING_SPENT, metadataWrites: 30, dollars: 0.5 });
    await charge(components, { ...NOTHING_SPENT, metadataWrites: 10, bytesRead: 7 });
    expect(await readPeriod(components)).toEqual({
      budgets: LIMITED,
      spent: { ...NOTHING_SPENT, metadataWrites: 40, dollars: 0.5, bytesRead: 7 },
    });
    expect(await metadataWritesLeft(components)).toBe(60);
    expect(await beginPeriod(components, LIMITED)).toBe(0.4);
    expect(await beginPeriod(components, LIMITED)).toBe(0);
    await charge(components, { ...NOTHING_SPENT, metadataWrites: 130 });
    expect(await metadataWritesLeft(components)).toBe(0);
    expect(await beginPeriod(components, UNLIMITED)).toBe(1.3);
    await charge(components, { ...NOTHING_SPENT, requests: 3 });
    expect(await beginPeriod(components, UNLIMITED)).toBe(0);
    expect((await readPeriod(components))?.spent).toEqual(NOTHING_SPENT);
  });

  it('are charged with nothing by no call; and no work fails for it, unless rows are damaged or denied', async () => {
    const { components, writes, state } = watchedProcess();
    await charge(components, NOTHING_SPENT);
    expect(writes).toEqual([]);
    const some = { ...NOTHING_SPENT, requests: 1 };
    // There is no plan yet.
    await charge(components, some);
    expect(await readPeriod(components)).toBeUndefined();
    for (const error of [BUSY, LOST, new PandaConflict([0])]) {
      state.answer = refusing(error);
      await charge(components, some);
    }
    for (const error of [DENIED, corrupt('ROW_MALFORMED', 'x'), new TypeError('a mistake')]) {
      state.answer = refusing(error);
      await expect(charge(components, some)).rejects.toBe(error);
    }
  });
});

describe('what an operator sets', () => {
  it('is changed by whoever reads it last, and what it becomes is checked before', async () => {
    const { components, world, state, writes } = watchedProcess();
    expect(await readOperating(components)).toEqual({});
    expect(await changeOperating(components, (before) => ({ ...before, runsMax: 3 }))).toEqual({ runsMax: 3 });
    const other = world.start().components;
    beaten(state, () => changeOperating(other, (before) => ({ ...before, granularity: 64 })));
    const both = { runsMax: 5, granularity: 64 };
    expect(await changeOperating(components, (before) => ({ ...before, runsMax: 5 }))).toEqual(both);
    lostOnce(state, LOST);
    expect(await changeOperating(components, (before) => ({ ...before, runsMax: 6 }))).toEqual({ ...both, runsMax: 6 });
    const row = await world.panda.get({ partition: 'work/settings', sort: 'operating' });
    expect(row?.attributes['v']).toBe(4);
    const count = writes.length;
    await expect(changeOperating(components, () => ({ runsMax: -1 }))).rejects.toMatchObject({
      code: 'OPERATING_INVALID',
    });
    expect(writes.length).toBe(count);
    expect(await readOperating(components)).toEqual({ ...both, runsMax: 6 });
  });

  it('is written again although it stays the same, if nobody can tell whether it was', async () => {
    const { components, world, state } = watchedProcess();
    const same = () => changeOperating(components, () => ({ runsMax: 3 }));
    await same();
    undoneOnce(state, LOST);
    expect(await same()).toEqual({ runsMax: 3 });
    expect((await world.panda.get({ partition: 'work/settings', sort: 'operating' }))?.attributes['v']).toBe(2);
  });

  it('is kept apart by what is known of it: where it cannot be read nothing is, and a mistake comes out', async () => {
    const { components } = watchedProcess();
    await changeOperating(components, () => ({ namespacesApart: 'a' }));
    const lanes = async (get: () => Promise<never>) => knownLanes({ ...components, panda: { get } as never })('a');
    expect(await knownLanes(components)('a')).not.toBe(SHARED_LANE);
    expect(await knownLanes(components)('b')).toBe(SHARED_LANE);
    expect(await lanes(() => Promise.reject(BUSY))).toBe(SHARED_LANE);
    await expect(lanes(() => Promise.reject(new TypeError('a mistake')))).rejects.toThrow('a mistake');
  });

  it('is given up after so many tries that others were quicker with; other errors come out', async () => {
    const { components, state, writes } = watchedProcess();
    state.answer = refusing(new PandaConflict([0]));
    await expect(changeOperating(components, () => ({}))).rejects.toMatchObject({
      kind: 'conflict',
      code: 'SETTINGS_CHANGED',
    });
    expect(writes.length).toBe(OPERATING_ATTEMPTS_MAX);
    state.answer = refusing(DENIED);
    await expect(changeOperating(components, () => ({}))).rejects.toBe(DENIED);
  });
});

describe('why the Live Coder stands still', () => {
  const FULL = { code: 'STORE_FULL', text: 'no zone is free' } as const;

  it('is written when it changes, and only then', async () => {
    const { components, writes } = watchedProcess();
    await noteCoder(components, undefined);
    expect([await coderStall(components), writes]).toEqual([undefined, []]);
    for (const reason of [FULL, FULL, { ...FULL, text: 'still none' }]) {
      await noteCoder(components, reason);
      expect(await coderStall(components)).toEqual(reason);
    }
    await noteCoder(components, { code: 'DRIVE_UNAVAILABLE', text: 'still none' });
    await noteCoder(components, undefined);
    expect(await coderStall(components)).toBeUndefined();
    const put = 'put coder stall';
    expect(writes).toEqual([put, put, put, 'delete coder stall']);
  });

  it('is left out if it cannot be written; a mistake comes out', async () => {
    const { components, state } = watchedProcess();
    state.answer = refusing(DENIED);
    await noteCoder(components, FULL);
    state.answer = refusing(new TypeError('a mistake'));
    await expect(noteCoder(components, FULL)).rejects.toThrow('a mistake');
    expect(await coderStall(components)).toBeUndefined();
  });
});

describe('how fast data dies', () => {
  const look = (live: number) => fleetOfFills(Array.from({ length: 40 }, () => live));

  it('is looked at after a while, not before, and not twice', async () => {
    const { components, world, writes, state } = watchedProcess();
    const first = await measureRates(components, look(0.8));
    expect(first).toMatchObject(ASSUMED_RATES);
    world.clock.advance(RATE_LOOK_EVERY_MS - 1);
    expect(await measureRates(components, look(0.4))).toEqual(first);
    expect(writes.length).toBe(1);
    world.clock.advance(1);
    const days = RATE_LOOK_EVERY_MS / DAY_MS;
    const second = await measureRates(components, look(0.4));
    expect(second.daysMeasured).toEqual([0, 0, 0, days]);
    expect(second.perDay[3]).toBeCloseTo(0.5 / days, 6);
    expect(await readRates(components)).toEqual({ perDay: second.perDay, daysMeasured: second.daysMeasured });
    world.clock.advance(DAY_MS);
    // What somebody else has found meanwhile is what counts.
    const other = world.start().components;
    beaten(state, () => measureRates(other, look(0.3)));
    const third = await measureRates(components, look(0.1));
    expect(third).toEqual(await readRates(components));
    expect(third.daysMeasured).toEqual([0, 0, 0, days + 1]);
    const row = await world.panda.get({ partition: `rates/${components.settings.cell}`, sort: 'deletes' });
    expect(row?.attributes).toMatchObject({ v: 3, a: world.clock.nowMs() });
  });

  it('that may not have been written is looked at again some day: nothing is sent twice for it', async () => {
    for (const lose of [undoneOnce, lostOnce]) {
      const { components, state, writes } = watchedProcess();
      lose(state, LOST);
      expect(await measureRates(components, look(0.8))).toMatchObject({ ...ASSUMED_RATES, sample: expect.any(Array) });
      expect(writes).toHaveLength(1);
      lose(state, LOST);
      await noteCrowded(components, { id: '00000000000000aa' as VolumeId, generation: 1 }, 5);
      expect(writes).toHaveLength(2);
    }
  });

  it('is not known where it cannot be written; by a clock before 1970 it is of then', async () => {
    const { components, world, state } = watchedProcess();
    state.answer = refusing(DENIED);
    await expect(measureRates(components, look(0.8))).rejects.toBe(DENIED);
    state.answer = undefined;
    world.clock.jumpTo(-5);
    await measureRates(components, look(0.8));
    const row = await world.panda.get({ partition: `rates/${components.settings.cell}`, sort: 'deletes' });
    expect(row?.attributes).toMatchObject({ v: 1, a: 0 });
  });
});
