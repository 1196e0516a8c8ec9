// Bad names, bodies that fail, stores that are full or away: a typed error for the item, nothing lost, the others go on.
import { describe, expect, it } from 'vitest';
import { FaultyDrive } from '../../lib/drive/faulty-drive.ts';
import { isPocketfulError, PocketfulError } from '../../lib/foundation/errors.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { Frontend } from '../../lib/frontend/frontend.ts';
import { checkKey, checkNamespace, checkPathKey } from '../../lib/frontend/object-keys.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

const KIB = 1024;
const NAMESPACE = 'default';
const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return isPocketfulError(error) ? error.code : String(error);
  }
  return 'none';
};

describe('names', () => {
  it.each([
    ['', 'NAME_EMPTY'],
    ['x'.repeat(1025), 'NAME_TOO_LONG'],
    ['ä'.repeat(513), 'NAME_TOO_LONG'],
    ['a\0b', 'NAME_INVALID'],
    ['..', 'NAME_INVALID'],
    ['a/../b', 'NAME_INVALID'],
    ['./a', 'NAME_INVALID'],
    ['/a', 'NAME_INVALID'],
    ['a//b', 'NAME_INVALID'],
    ['a/', 'NAME_INVALID'],
    ['\ud800', 'NAME_INVALID'],
  ])('%j is refused as %s, in one line', (key, code) => {
    expect(codeOf(() => checkPathKey(key))).toBe(code);
    try {
      checkPathKey(key);
    } catch (error) {
      expect((error as Error).message).not.toMatch(/[\n\0]/);
      expect((error as Error).message.length).toBeLessThan(200);
    }
  });

  it.each(['#', 'a#b/c', '...', '..a', 'ä'.repeat(512), 'x'.repeat(1024), ' ', '\u{1f600}'])('%j is a name', (key) => {
    expect(codeOf(() => checkPathKey(key))).toBe('none');
  });

  it.each(['..', 'a/../b', './a', '/a', 'a//b', 'a/', '/'])('%j is a name where it need be no path', (key) => {
    expect(codeOf(() => checkKey(key))).toBe('none');
  });

  it.each(['', 'A', '-a', '.a', '+', '++a', 'a+', 'a/b', 'a'.repeat(64)])('namespace %j is refused', (namespace) => {
    expect(codeOf(() => checkNamespace(namespace))).toBe('NAMESPACE_INVALID');
  });
});

describe('a batch with bad items', () => {
  it('stores the good ones and says what is wrong with each of the others', async () => {
    const p = new World(1, TINY).start();
    const vanished = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' });
    // biome-ignore lint/correctness/useYield: a body that fails before its first byte
    async function* failing(): AsyncGenerator<Uint8Array> {
      throw vanished;
    }
    async function* failingLate(): AsyncGenerator<Uint8Array> {
      yield new SeededRandomness(1).bytes(20 * KIB);
      throw vanished;
    }
    const changed = new PocketfulError('conflict', 'FILE_CHANGED', 'the file changed while it was read');
    const items = [
      { namespace: NAMESPACE, key: 'good', body: Buffer.from('good') },
      { namespace: NAMESPACE, key: '', body: Buffer.from('x') },
      { namespace: NAMESPACE, key: 'empty', body: new Uint8Array(0) },
      { namespace: NAMESPACE, key: 'failing', body: failing },
      { namespace: NAMESPACE, key: 'failing-late', body: failingLate },
      { namespace: NAMESPACE, key: 'changed', body: Buffer.from('y'), verify: () => Promise.reject(changed) },
      {
        namespace: NAMESPACE,
        key: 'changed-long',
        body: new SeededRandomness(2).bytes(40 * KIB),
        verify: () => Promise.reject(changed),
      },
      { namespace: NAMESPACE, key: 'also-good', body: new SeededRandomness(3).bytes(9 * KIB) },
    ];
    const outcomes = new Map<string, string>();
    for await (const outcome of p.frontend.putAll(items))
      outcomes.set(outcome.key, outcome.ok ? 'ok' : ((outcome.error as { code?: string }).code ?? 'error'));
    expect(Object.fromEntries(outcomes)).toEqual({
      good: 'ok',
      '': 'NAME_EMPTY',
      empty: 'ok',
      failing: 'ENOENT',
      'failing-late': 'ENOENT',
      changed: 'FILE_CHANGED',
      'changed-long': 'FILE_CHANGED',
      'also-good': 'ok',
    });
    expect(await p.frontend.read(NAMESPACE, 'empty', 1)).toHaveLength(0);
    const { objects } = await p.frontend.list({ namespace: NAMESPACE });
    expect(objects.map(({ key }) => key)).toEqual(['also-good', 'empty', 'good']);
    await p.frontend.finishReleases();
    await expectSound(p);
  });
});

describe('drives that fail', () => {
  const sick = (broken: number, state: 'lost' | 'read-only' | 'full') => {
    const world = new World(2, TINY, 20);
    const p = world.start();
    const drives = world.drives.map((drive) => new FaultyDrive(drive));
    const volumes = new VolumeStore({ ...p.components, drives });
    return {
      world,
      drives,
      volumes,
      frontend: new Frontend(volumes),
      break_: () =>
        drives.slice(0, broken).forEach((drive) => {
          drive.state = state;
        }),
    };
  };

  it.each(['lost', 'read-only', 'full'] as const)('puts go on while enough drives are left (%s)', async (state) => {
    const { frontend, break_, world } = sick(8, state);
    const bodies = Array.from({ length: 30 }, (_, i) => new SeededRandomness(i).bytes(2500));
    for (let i = 0; i < 10; i++)
      await frontend.put({ namespace: NAMESPACE, key: `${i}`, body: bodies[i] as Uint8Array });
    break_();
    for (let i = 10; i < 30; i++)
      await frontend.put({ namespace: NAMESPACE, key: `${i}`, body: bodies[i] as Uint8Array });
    for (const [i, body] of bodies.entries()) {
      // replica-4 on 20 drives, 8 of them gone: a volume of before may have lost all four.
      const read = await frontend.read(NAMESPACE, `${i}`, 1e5).catch((error: PocketfulError) => error);
      if (read instanceof Error)
        expect(read).toMatchObject({
          code: 'RECORD_WAITS',
          drives: expect.arrayContaining([expect.stringMatching(/^drive-/)]),
        });
      else expect(Buffer.compare(read, body)).toBe(0);
    }
    expect(world.drives).toHaveLength(20);
  });

  it('puts are refused with the drives named when too few are left', async () => {
    const { frontend, break_ } = sick(18, 'lost');
    break_();
    await expect(frontend.put({ namespace: NAMESPACE, key: 'x', body: Buffer.from('x') })).rejects.toMatchObject({
      kind: 'retry',
      message: expect.stringMatching(/drive-/),
    });
  });

  it('puts are asked to wait when hot volumes have taken all they may', async () => {
    const world = new World(3, settingsOf('demo', { ...TINY, hotBytesMax: 600 * KIB }));
    const p = world.start();
    let refused: unknown;
    for (let i = 0; i < 400 && refused === undefined; i++) {
      world.clock.advance(6_000); // the gauge looks every few seconds
      const body = new SeededRandomness(i).bytes(3000);
      refused = await p.frontend.put({ namespace: NAMESPACE, key: `${i}`, body }).then(
        () => undefined,
        (error: unknown) => error,
      );
    }
    expect(refused).toMatchObject({ kind: 'retry', code: 'HOT_FULL' });
  });
});

describe('a put of a known block whose volume cannot be read', () => {
  it('stores it anew, so that both names can be read at once, and the rows stay right', async () => {
    const world = new World(6, TINY, 20);
    const first = world.start();
    const body = new SeededRandomness(1).bytes(2900); // three blocks, in one bucket
    await first.frontend.put({ namespace: NAMESPACE, key: 'before', body });
    const [volume] = await listVolumes(world.panda, 'c0');
    const drives = world.drives.map((drive) => new FaultyDrive(drive));
    for (const { drive } of volume?.extents ?? []) (drives[drive] as FaultyDrive).state = 'lost';
    const volumes = new VolumeStore({ ...first.components, drives });
    const frontend = new Frontend(volumes);
    await expect(frontend.read(NAMESPACE, 'before', 1e4)).rejects.toMatchObject({ code: 'RECORD_WAITS' });
    await frontend.put({ namespace: NAMESPACE, key: 'after', body });
    for (const key of ['before', 'after'])
      expect(Buffer.compare(await frontend.read(NAMESPACE, key, 1e4), body)).toBe(0);
    for (const drive of drives) drive.state = 'healthy';
    await expectSound(world.start());
  });
});
