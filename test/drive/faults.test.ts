// The faulty drive and the plans that drive it: a crash test is worth nothing if the crash does not happen.
import { describe, expect, it } from 'vitest';
import { bitFlip, FaultyDrive, truncation, zeroLength } from '../../lib/drive/faulty-drive.ts';
import { MemoryDrive } from '../../lib/drive/memory-drive.ts';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { CountingPlan, Crash, type FaultMode, scriptedPlan } from '../../lib/foundation/faults.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';

const at = { zone: 1, generation: 0 };
const body = Buffer.from('some bytes of a chunk');
const coded = (kind: string, code: string): object => expect.objectContaining({ name: 'PocketfulError', kind, code });

/** Three appends under a plan; which names are stored, and how each call ended. */
async function threeAppends(call: number, mode: FaultMode): Promise<{ stored: string[]; ended: string[] }> {
  const inner = new MemoryDrive();
  const drive = new FaultyDrive(inner, { plan: new CountingPlan(call, mode) });
  const ended: string[] = [];
  for (const name of ['a', 'b', 'c'])
    ended.push(
      await drive.append(at, name, [body]).then(
        () => 'done',
        (error: Error) => ('code' in error ? String(error.code) : error.name),
      ),
    );
  return { stored: (await inner.list(at)).map(({ name }) => name), ended };
}

describe('CountingPlan', () => {
  it.each([
    ['before', ['a'], ['done', 'Crash', 'Crash']],
    ['after', ['a', 'b'], ['done', 'Crash', 'Crash']],
    ['before-error', ['a', 'c'], ['done', 'DRIVE_BUSY', 'done']],
    ['after-error', ['a', 'b', 'c'], ['done', 'DRIVE_BUSY', 'done']],
    ['none', ['a', 'b', 'c'], ['done', 'done', 'done']],
  ] as const)('%s', async (mode, stored, ended) => {
    expect(await threeAppends(2, mode)).toEqual({ stored, ended });
  });

  it('counts calls over all drives that share it and names the one it hit', async () => {
    const plan = new CountingPlan(3, 'after');
    const drives = [new FaultyDrive(new MemoryDrive('x'), { plan }), new FaultyDrive(new MemoryDrive('y'), { plan })];
    await drives[0]?.append(at, 'a', [body]);
    await drives[1]?.append(at, 'a', [body]);
    expect([plan.calls, plan.crashed, plan.hit]).toEqual([2, false, undefined]);
    await expect(drives[1]?.read(at, 'a')).rejects.toBeInstanceOf(Crash);
    await expect(drives[0]?.zones()).rejects.toBeInstanceOf(Crash);
    expect([plan.calls, plan.crashed, plan.hit]).toEqual([3, true, 'drive.read y:1/0/a']);
  });

  it('keeps the answers of calls under way from a process that died meanwhile', async () => {
    const plan = new CountingPlan(2, 'before');
    const inner = new MemoryDrive();
    const drive = new FaultyDrive(inner, { plan });
    const [first, second] = await Promise.allSettled([drive.append(at, 'a', [body]), drive.append(at, 'b', [body])]);
    expect([first.status, second.status]).toEqual(['rejected', 'rejected']);
    expect((await inner.list(at)).map(({ name }) => name)).toEqual(['a']);
  });
});

describe('FaultyDrive', () => {
  it('fails where a script says so, by operation and zone', async () => {
    const plan = scriptedPlan(({ operation }, detail) =>
      operation === 'append' && detail.includes(':7/') ? 'before-error' : 'none',
    );
    const drive = new FaultyDrive(new MemoryDrive(), { plan });
    await drive.append(at, 'a', [body]);
    await expect(drive.append({ zone: 7, generation: 0 }, 'a', [body])).rejects.toEqual(coded('retry', 'DRIVE_BUSY'));
    expect(await drive.zones()).toEqual([at]);
  });

  it('is lost, read-only or full while told so', async () => {
    const drive = new FaultyDrive(new MemoryDrive());
    await drive.append(at, 'a', [body]);
    drive.state = 'lost';
    for (const call of [drive.read(at, 'a'), drive.append(at, 'b', []), drive.list(at), drive.zones(), drive.probe()])
      await expect(call).rejects.toEqual(coded('retry', 'DRIVE_UNAVAILABLE'));
    drive.state = 'read-only';
    for (const call of [drive.append(at, 'b', []), drive.erase(at), drive.probe()])
      await expect(call).rejects.toEqual(coded('retry', 'DRIVE_READ_ONLY'));
    expect(await drive.read(at, 'a')).toHaveLength(body.length);
    drive.state = 'full';
    for (const call of [drive.append(at, 'b', []), drive.probe()])
      await expect(call).rejects.toEqual(coded('retry', 'DRIVE_FULL'));
    await drive.erase(at);
    drive.state = 'healthy';
    expect(await drive.zones()).toEqual([]);
  });

  it('damages what is read, never what is stored', async () => {
    const drive = new FaultyDrive(new MemoryDrive());
    await drive.append(at, 'a', [body]);
    drive.damage = bitFlip(new SeededRandomness(1));
    const flipped = await drive.read(at, 'a');
    const bits = flipped.reduce(
      (sum, byte, i) => sum + (byte ^ (body[i] as number)).toString(2).split('1').length - 1,
      0,
    );
    expect([flipped.byteLength, bits]).toEqual([body.length, 1]);
    drive.damage = truncation(new SeededRandomness(2));
    const cut = await drive.read(at, 'a');
    expect(cut.byteLength).toBeLessThan(body.length);
    expect(body.subarray(0, cut.byteLength).equals(cut)).toBe(true);
    drive.damage = zeroLength;
    expect(await drive.read(at, 'a')).toHaveLength(0);
    drive.damage = undefined;
    expect(body.equals(await drive.read(at, 'a'))).toBe(true);
  });

  it('waits on its clock', async () => {
    const clock = new SimulatedClock();
    const drive = new FaultyDrive(new MemoryDrive(), {
      clock,
      latencyMs: (operation) => (operation === 'read' ? 40 : 5),
    });
    await drive.append(at, 'a', [body]);
    await drive.read(at, 'a');
    expect(clock.monotonicMs()).toBe(45);
  });
});
