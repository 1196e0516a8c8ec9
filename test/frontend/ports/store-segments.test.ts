// Segments of a long object, several of them at once: in order, each with its memory, until one fails or no more is wanted.
import { describe, expect, it } from 'vitest';
import { retryLater } from '../../../lib/foundation/errors.ts';
import type { BlockId } from '../../../lib/foundation/ids.ts';
import { HeldBlock } from '../../../lib/frontend/blocks/held-block.ts';
import { type SegmentSource, storeSegments } from '../../../lib/frontend/put-long.ts';
import { RECORD_SLACK_BYTES } from '../../../lib/limits/frontend.ts';

const BYTES = 10;
const blocks = (count: number): HeldBlock[] =>
  Array.from({ length: count }, (_, i) => new HeldBlock(`${i}`.padStart(64, '0') as BlockId, new Uint8Array(BYTES)));

async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Two blocks a segment; what happens is told in order, and segments are stored when the test says so. */
function begun(count: number, more: Partial<SegmentSource> = {}, isBulk = false) {
  const told: string[] = [];
  async function* all(): AsyncGenerator<HeldBlock> {
    for (const block of blocks(count)) {
      told.push(`reads ${Number(block.id)}`);
      yield block;
    }
  }
  let gives = 0;
  const source: SegmentSource = {
    blocks: all(),
    room: async (segment) => {
      const give = gives++;
      told.push(`room for ${segment.length}`);
      return () => told.push(`gives ${give}`);
    },
    segmentBytesMax: 2 * (BYTES + RECORD_SLACK_BYTES),
    onRead: () => told.push('read'),
    ...(isBulk ? { bulk: { stream: { begin: () => () => told.push('ends') } } as never } : {}),
    ...more,
  };
  const ends: ((error?: Error) => void)[] = [];
  const done = storeSegments(source, (window, index) => {
    told.push(`stores ${window.map(({ id }) => Number(id))} as ${index}`);
    return new Promise<void>((resolve, reject) => {
      ends[index] = (error) => (error === undefined ? resolve() : reject(error));
    });
  });
  const answer = done.then(
    (segments) => told.push(`${segments} segments`),
    (error: Error) => told.push(error.message),
  );
  return { told, ends, answer };
}

describe('segments of a long object', () => {
  it('are begun in order, as many as there is room for, and all are waited for', async () => {
    const { told, ends, answer } = begun(5);
    await turns();
    expect(told).toEqual([
      ...['reads 0', 'reads 1', 'reads 2', 'room for 2', 'stores 0,1 as 0'],
      ...['reads 3', 'reads 4', 'room for 2', 'stores 2,3 as 1', 'room for 1', 'stores 4 as 2', 'read'],
    ]);
    told.length = 0;
    ends[2]?.();
    await turns();
    ends[0]?.();
    await turns();
    expect(told).toEqual(['gives 2', 'gives 0']);
    ends[1]?.();
    await answer;
    expect(told).toEqual(['gives 2', 'gives 0', 'gives 1', '3 segments']);
  });

  it('of nothing are none', async () => {
    const { told, answer } = begun(0);
    await answer;
    expect(told).toEqual(['read', '0 segments']);
  });

  it('are told to who writes large groups, each until it is done', async () => {
    const { told, ends, answer } = begun(2, {}, true);
    await turns();
    ends[0]?.();
    await answer;
    expect(told.slice(-4)).toEqual(['read', 'gives 0', 'ends', '1 segments']);
  });

  it('are no more when one failed, and what is under way is waited for; the first error is told', async () => {
    const { told, ends, answer } = begun(9, {
      room: async () => {
        await turns();
        return () => undefined;
      },
    });
    while (ends[1] === undefined) await turns();
    ends[1](retryLater('STORE_FULL', 'the first error'));
    await turns();
    ends[0]?.(retryLater('STORE_FULL', 'the second error'));
    ends[2]?.();
    await answer;
    expect(told.filter((line) => line.startsWith('stores')).length).toBeLessThan(5);
    expect(told.at(-1)).toBe('the first error');
  });

  it('are waited for no more where a mistake of a program ended one: others may never return', async () => {
    const { told, ends, answer } = begun(5);
    await turns();
    ends[1]?.(new TypeError('a mistake'));
    await answer;
    expect(told.at(-1)).toBe('a mistake');
    expect(told).not.toContain('gives 0');
  });

  it('wait for no room after such a mistake', async () => {
    let asked = 0;
    const { told, ends, answer } = begun(4, {
      room: () => (asked++ === 0 ? Promise.resolve(() => undefined) : new Promise(() => {})),
    });
    await turns();
    ends[0]?.(new TypeError('a mistake'));
    await answer;
    expect(told.slice(-2)).toEqual(['read', 'a mistake']);
  });

  it('end where no more is wanted, but for the first, which is always stored', async () => {
    let asked = 0;
    const { told, ends, answer } = begun(9, { mayGoOn: () => ++asked < 2 });
    await turns();
    ends[0]?.();
    ends[1]?.();
    await answer;
    expect(told.filter((line) => line.startsWith('stores'))).toEqual(['stores 0,1 as 0', 'stores 2,3 as 1']);
    expect([told.at(-1), asked]).toEqual(['2 segments', 2]);
    const none = begun(2, { mayGoOn: () => false });
    await turns();
    none.ends[0]?.();
    await none.answer;
    expect(none.told.at(-1)).toBe('1 segments');
  });

  it('are waited for where the body fails', async () => {
    async function* failing(): AsyncGenerator<HeldBlock> {
      yield* blocks(3);
      throw new Error('the file is gone');
    }
    const { told, ends, answer } = begun(0, { blocks: failing() });
    await turns();
    expect(told.at(-1)).toBe('read');
    ends[0]?.();
    await answer;
    expect(told.slice(-3)).toEqual(['read', 'gives 0', 'the file is gone']);
  });
});
