// What every drive body has to do, whatever its medium. `make` gives an empty drive; `reopen` gives another instance on the
// same medium, as another process would have.
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Drive, ZoneRef } from '../../lib/drive/drive.ts';
import { AssertionError } from '../../lib/foundation/assert.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { driveModel } from './drive-model.ts';

export interface DriveUnderTest {
  readonly drive: Drive;
  readonly reopen?: () => Promise<Drive>;
  close(): Promise<void>;
}

export interface DriveContractOptions {
  /** Rounds of the random model; fewer for bodies behind a network. */
  readonly modelRuns?: number;
  /** Rounds of two appends racing for one name. */
  readonly races?: number;
}

const MIB = 1024 * 1024;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const coded = (kind: string, code: string): object => expect.objectContaining({ name: 'PocketfulError', kind, code });

let nextZone = 0;
/** A zone of its own for each test: bodies are made once per suite. */
const freshZone = (generation = 0): ZoneRef => ({ zone: nextZone++, generation });

export function driveContract(
  name: string,
  make: () => Promise<DriveUnderTest>,
  options: DriveContractOptions = {},
): void {
  describe(`drive contract: ${name}`, () => {
    let made: DriveUnderTest;
    let drive: Drive;
    beforeAll(async () => {
      made = await make();
      drive = made.drive;
    });
    afterAll(async () => {
      await made.close();
    });
    const context: Context = { drive: () => drive, reopen: () => made.reopen?.() ?? Promise.resolve(drive), options };
    appends(context);
    reads(context);
    listings(context);
    erasing(context);
    refusals(context);
    it('behaves as a map of maps under random calls', () =>
      fc.assert(driveModel(context.drive, freshZone), { numRuns: options.modelRuns ?? 60 }));
  });
}

interface Context {
  readonly drive: () => Drive;
  readonly reopen: () => Promise<Drive>;
  readonly options: DriveContractOptions;
}

function appends({ drive, reopen, options }: Context): void {
  it('stores an object once and never overwrites it', async () => {
    const at = freshZone();
    await drive().append(at, '0-1', [text('first')]);
    await expect(drive().append(at, '0-1', [text('second')])).rejects.toEqual(coded('conflict', 'CHUNK_EXISTS'));
    expect(same(await drive().read(at, '0-1'), text('first'))).toBe(true);
    const other = await reopen();
    await expect(other.append(at, '0-1', [text('third')])).rejects.toEqual(coded('conflict', 'CHUNK_EXISTS'));
    expect(same(await other.read(at, '0-1'), text('first'))).toBe(true);
  });

  it('lets exactly one of two racing appends win, with its bytes whole', async () => {
    const at = freshZone();
    const bodies = [Buffer.alloc(70_000, 'a'), Buffer.alloc(70_001, 'b'), Buffer.alloc(3, 'c')];
    const drives = [drive(), await reopen(), drive()];
    for (let round = 0; round < (options.races ?? 100); round++) {
      const outcomes = await Promise.allSettled(
        bodies.map((body, i) =>
          (drives[i] as Drive).append(at, `race-${round}`, [body.subarray(0, 1), body.subarray(1)]),
        ),
      );
      const winners = outcomes.flatMap((outcome, i) => (outcome.status === 'fulfilled' ? [i] : []));
      // A body whose medium answers "conflict, try again" may leave one append undecided; two winners there never are.
      expect(winners).toHaveLength(1);
      for (const outcome of outcomes)
        if (outcome.status === 'rejected')
          expect(['CHUNK_EXISTS', 'DRIVE_BUSY']).toContain((outcome.reason as { code: string }).code);
      const stored = await drive().read(at, `race-${round}`);
      expect(same(stored, bodies[winners[0] as number] as Buffer)).toBe(true);
    }
    expect(await drive().list(at)).toHaveLength(options.races ?? 100);
  });

  it('stores an empty object, from no parts and from empty ones', async () => {
    const at = freshZone();
    await drive().append(at, 'none', []);
    await drive().append(at, 'empty', [new Uint8Array(0), new Uint8Array(0)]);
    expect((await drive().read(at, 'none')).byteLength).toBe(0);
    expect((await drive().read(at, 'none', { offset: 0, length: 10 })).byteLength).toBe(0);
    expect(await drive().list(at)).toEqual([
      { name: 'empty', bytes: 0 },
      { name: 'none', bytes: 0 },
    ]);
    await expect(drive().append(at, 'none', [])).rejects.toEqual(coded('conflict', 'CHUNK_EXISTS'));
  });

  it('stores 5 MiB from parts of all sizes', async () => {
    const at = freshZone();
    const body = new SeededRandomness(5).bytes(5 * MIB + 7);
    const cuts = [0, 0, 1, 64, 64, 4096, 300_000, 2 * MIB + 1, 5 * MIB + 7, 5 * MIB + 7];
    const parts = cuts.slice(1).map((end, i) => body.subarray(cuts[i], end));
    await drive().append(at, 'large', parts);
    expect(same(await drive().read(at, 'large'), body)).toBe(true);
    const range = { offset: 2 * MIB - 3, length: 2 * MIB };
    expect(same(await drive().read(at, 'large', range), body.subarray(range.offset, range.offset + range.length))).toBe(
      true,
    );
  });

  it('stores 2,000 small parts as one object', async () => {
    const at = freshZone();
    const body = new SeededRandomness(6).bytes(20_000);
    const parts = Array.from({ length: 2000 }, (_, i) => body.subarray(i * 10, i * 10 + 10));
    await drive().append(at, 'parts', parts);
    expect(same(await drive().read(at, 'parts'), body)).toBe(true);
  });

  it('keeps its own copy: the caller may change buffers after append and after read', async () => {
    const at = freshZone();
    const buffer = Buffer.from('before');
    await drive().append(at, 'copy', [buffer]);
    buffer.fill('x');
    const read = await drive().read(at, 'copy');
    expect(Buffer.from(read).toString()).toBe('before');
    read.fill(0);
    expect(Buffer.from(await drive().read(at, 'copy')).toString()).toBe('before');
  });
}

function reads({ drive, reopen }: Context): void {
  it('reads ranges: inside, up to, across and past the end, and of no length', async () => {
    const at = freshZone();
    await drive().append(at, 'r', [text('01234'), text('56789')]);
    const range = async (offset: number, length: number): Promise<string> =>
      Buffer.from(await drive().read(at, 'r', { offset, length })).toString();
    expect(await range(0, 10)).toBe('0123456789');
    expect(await range(3, 4)).toBe('3456');
    expect(await range(9, 1)).toBe('9');
    expect(await range(8, 100)).toBe('89');
    expect(await range(0, 2 ** 40)).toBe('0123456789');
    expect(await range(4, 2 ** 40)).toBe('456789');
    expect(await range(10, 1)).toBe('');
    expect(await range(2 ** 33, 2 ** 40)).toBe('');
    expect(await range(0, 0)).toBe('');
    expect(await range(5, 0)).toBe('');
    expect(await range(50, 0)).toBe('');
  });

  it('says CHUNK_MISSING for a name, generation or zone that is not there', async () => {
    const at = freshZone();
    const missing = coded('missing', 'CHUNK_MISSING');
    await expect(drive().read(at, 'a')).rejects.toEqual(missing);
    await drive().append(at, 'a', [text('a')]);
    await expect(drive().read(at, 'b')).rejects.toEqual(missing);
    await expect(drive().read(at, 'b', { offset: 0, length: 4 })).rejects.toEqual(missing);
    await expect(drive().read(at, 'b', { offset: 0, length: 0 })).rejects.toEqual(missing);
    await expect(drive().read({ ...at, generation: 1 }, 'a')).rejects.toEqual(missing);
    await expect((await reopen()).read(freshZone(), 'a')).rejects.toEqual(missing);
  });
}

function listings({ drive, reopen }: Context): void {
  it('lists by name with sizes, one generation only', async () => {
    const at = freshZone(2);
    expect(await drive().list(at)).toEqual([]);
    for (const [name, length] of [
      ['10-1', 3],
      ['9-1', 1],
      ['dir-a', 2],
      ['0-0', 0],
    ] as const)
      await drive().append(at, name, [new Uint8Array(length)]);
    await drive().append({ ...at, generation: 20 }, 'elsewhere', []);
    const expected = [
      { name: '0-0', bytes: 0 },
      { name: '10-1', bytes: 3 },
      { name: '9-1', bytes: 1 },
      { name: 'dir-a', bytes: 2 },
    ];
    expect(await drive().list(at)).toEqual(expected);
    expect(await (await reopen()).list(at)).toEqual(expected);
  });

  it('lists and erases more than one page (1,003 objects)', async () => {
    const at = freshZone();
    const names = Array.from({ length: 1003 }, (_, i) => `${i}-1`);
    for (let i = 0; i < names.length; i += 50)
      await Promise.all(names.slice(i, i + 50).map((name) => drive().append(at, name, [text(name)])));
    const listing = await drive().list(at);
    expect(listing.map(({ name }) => name)).toEqual([...names].sort());
    expect(listing.every(({ name, bytes }) => bytes === name.length)).toBe(true);
    await drive().erase(at);
    expect(await drive().list(at)).toEqual([]);
  });

  it('names every zone generation that holds something, in order of numbers', async () => {
    const base = freshZone().zone + 100_000;
    const refs = [
      { zone: base + 9, generation: 10 },
      { zone: base + 9, generation: 9 },
      { zone: base + 1000, generation: 0 },
      { zone: base + 10, generation: 3 },
    ];
    for (const ref of refs) await drive().append(ref, 'x', [text('x')]);
    await drive().erase(refs[3] as ZoneRef);
    const mine = (await (await reopen()).zones()).filter(({ zone }) => zone >= base && zone <= base + 1000);
    expect(mine).toEqual([refs[1], refs[0], refs[2]]);
  });
}

function erasing({ drive, reopen }: Context): void {
  it('erases a generation, that generation only, and again without complaint', async () => {
    const at = freshZone(1);
    const next = { ...at, generation: 2 };
    const alike = { zone: at.zone, generation: 12 };
    for (const ref of [at, next, alike]) for (const name of ['a', 'b']) await drive().append(ref, name, [text(name)]);
    await drive().erase(at);
    await drive().erase(at);
    await drive().erase(freshZone());
    expect(await drive().list(at)).toEqual([]);
    await expect(drive().read(at, 'a')).rejects.toEqual(coded('missing', 'CHUNK_MISSING'));
    await expect((await reopen()).read(at, 'a', { offset: 0, length: 1 })).rejects.toEqual(
      coded('missing', 'CHUNK_MISSING'),
    );
    for (const ref of [next, alike]) expect(await drive().list(ref)).toHaveLength(2);
    await drive().append(at, 'a', [text('late')]); // a zombie; swept by the next erase
    expect(await drive().list(at)).toEqual([{ name: 'a', bytes: 4 }]);
    await drive().erase(at);
    expect(await drive().list(at)).toEqual([]);
  });
}

function refusals({ drive }: Context): void {
  it('refuses names and numbers that are not keys, and leaves nothing', async () => {
    const at = freshZone();
    const names = ['', '.', '..', '../x', 'a/b', 'a\\b', 'A', 'a_b', 'a.b', 'a\0', 'é', ' a', 'x'.repeat(65)];
    for (const name of names) {
      await expect(drive().append(at, name, [])).rejects.toBeInstanceOf(AssertionError);
      await expect(drive().read(at, name)).rejects.toBeInstanceOf(AssertionError);
    }
    for (const number of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      for (const ref of [
        { zone: number, generation: 0 },
        { zone: 0, generation: number },
      ]) {
        await expect(drive().append(ref, 'a', [])).rejects.toBeInstanceOf(AssertionError);
        await expect(drive().read(ref, 'a')).rejects.toBeInstanceOf(AssertionError);
        await expect(drive().list(ref)).rejects.toBeInstanceOf(AssertionError);
        await expect(drive().erase(ref)).rejects.toBeInstanceOf(AssertionError);
      }
      const range = { offset: number, length: 1 };
      await expect(drive().read(at, 'a', range)).rejects.toBeInstanceOf(AssertionError);
      await expect(drive().read(at, 'a', { offset: 0, length: number })).rejects.toBeInstanceOf(AssertionError);
    }
    await drive().append(at, 'x'.repeat(64), []);
    expect(await drive().list(at)).toEqual([{ name: 'x'.repeat(64), bytes: 0 }]);
  });

  it('does nothing under an aborted signal, and throws its reason', async () => {
    const at = freshZone();
    await drive().append(at, 'kept', [text('kept')]);
    const reason = new Error('stop');
    const signal = AbortSignal.abort(reason);
    await expect(drive().append(at, 'a', [text('a')], signal)).rejects.toBe(reason);
    await expect(drive().read(at, 'kept', undefined, signal)).rejects.toBe(reason);
    await expect(drive().list(at, signal)).rejects.toBe(reason);
    await expect(drive().zones(signal)).rejects.toBe(reason);
    await expect(drive().erase(at, signal)).rejects.toBe(reason);
    await expect(drive().probe(signal)).rejects.toBe(reason);
    expect(await drive().list(at)).toEqual([{ name: 'kept', bytes: 4 }]);
  });

  it('stores whole or not at all when aborted on the way', async () => {
    const at = freshZone();
    const body = Buffer.alloc(100_000, 'z');
    for (let i = 0; i < 10; i++) {
      const abort = new AbortController();
      const append = drive().append(at, `a-${i}`, [body], abort.signal);
      setTimeout(() => abort.abort(new Error('stop')), i / 5);
      const outcome = await append.then(
        () => 'stored',
        (error: Error) => error.message,
      );
      expect(['stored', 'stop']).toContain(outcome);
      if (outcome === 'stored') expect(same(await drive().read(at, `a-${i}`), body)).toBe(true);
    }
    for (const { bytes } of await drive().list(at)) expect(bytes).toBe(body.length);
  });

  it('answers a probe and leaves nothing behind', async () => {
    const before = await drive().zones();
    await drive().probe();
    await Promise.all([drive().probe(), drive().probe()]);
    expect(await drive().zones()).toEqual(before);
  });
}
