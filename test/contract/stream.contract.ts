// What every stream has to do. `make` gives an empty one that buries a message at its fourth receive. The clock of a stream that lives
// elsewhere is moved by waiting, so times are compared with a tolerance there.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Stream } from '../../lib/stream/stream.ts';

export interface StreamUnderTest {
  readonly stream: Stream;
  readonly clock: { advance(ms: number): void | Promise<void> };
  /** Whether it knows an outdated receipt from the last one: SQS does not promise to. */
  readonly knowsOldReceipts?: boolean;
  readonly toleranceMs?: number;
}

const HIDDEN_MS = 1000;

export function streamContract(name: string, make: () => Promise<StreamUnderTest>): void {
  describe(`stream contract: ${name}`, () => {
    let stream: Stream;
    let clock: StreamUnderTest['clock'];
    let knowsOldReceipts: boolean;
    let toleranceMs: number;
    beforeEach(async () => {
      ({ stream, clock, knowsOldReceipts = true, toleranceMs = 0 } = await make());
    });
    afterEach(() => stream.close());
    const bodies = async (max = 10): Promise<string[]> =>
      (await stream.receive(max, HIDDEN_MS)).map(({ body }) => body).sort();

    it('delivers what was sent, hidden from others until it is visible again', async () => {
      await stream.send(['a', 'b', 'c']);
      expect((await bodies(2)).length).toBe(2);
      expect((await bodies()).length).toBe(1);
      expect(await bodies()).toEqual([]);
      expect(await stream.figures()).toMatchObject({ ready: 0, inFlight: 3, dead: 0 });
      await clock.advance(HIDDEN_MS);
      expect(await bodies()).toEqual(['a', 'b', 'c']);
    });

    it('forgets what is acknowledged, by the last receipt only', async () => {
      await stream.send(['a']);
      const [first] = await stream.receive(1, HIDDEN_MS);
      await clock.advance(HIDDEN_MS);
      const [second] = await stream.receive(1, HIDDEN_MS);
      expect(second?.receives).toBe(2);
      await stream.ack(knowsOldReceipts ? [first?.receipt ?? '', 'nonsense'] : ['nonsense']);
      await clock.advance(HIDDEN_MS);
      const [third] = await stream.receive(1, HIDDEN_MS);
      expect(third?.body).toBe('a');
      await stream.ack([third?.receipt ?? '']);
      await clock.advance(HIDDEN_MS);
      expect(await bodies()).toEqual([]);
      expect(await stream.figures()).toEqual({ ready: 0, inFlight: 0, oldestAgeMs: 0, dead: 0 });
    });

    it('shows a released message at once', async () => {
      await stream.send(['a']);
      const [got] = await stream.receive(1, HIDDEN_MS);
      await stream.release([got?.receipt ?? '']);
      expect(await bodies()).toEqual(['a']);
    });

    it('buries what is received too often, and brings it back when told', async () => {
      await stream.send(['poison', 'good']);
      for (let i = 0; i < 3; i++) {
        const got = await stream.receive(10, HIDDEN_MS);
        await stream.ack(got.filter(({ body }) => body === 'good').map(({ receipt }) => receipt));
        await clock.advance(HIDDEN_MS);
      }
      expect(await bodies()).toEqual([]);
      const [letter] = await stream.dead(10);
      expect(letter).toMatchObject({ body: 'poison', receives: 3 });
      expect(await stream.figures()).toMatchObject({ ready: 0, inFlight: 0, dead: 1 });
      expect(await stream.redrive(['99999'])).toBe(0);
      expect(await stream.redrive([letter?.id ?? ''])).toBe(1);
      expect(await stream.dead(10)).toEqual([]);
      expect(await bodies()).toEqual(['poison']);
    });

    it('drops the dead letters it is told, and nothing else', async () => {
      await stream.send(['poison', 'other']);
      for (let i = 0; i < 3; i++) {
        await stream.receive(10, HIDDEN_MS);
        await clock.advance(HIDDEN_MS);
      }
      expect(await bodies()).toEqual([]);
      await stream.send(['alive']);
      const letters = await stream.dead(10);
      const poison = letters.find(({ body }) => body === 'poison');
      expect(await stream.drop([])).toBe(0);
      expect(await stream.drop(['99999'])).toBe(0);
      expect(await stream.drop([poison?.id ?? ''])).toBe(1);
      expect((await stream.dead(10)).map(({ body }) => body)).toEqual(['other']);
      const [got] = await stream.receive(1, HIDDEN_MS);
      expect(await stream.drop([got?.id ?? ''])).toBe(0); // alive
      await stream.release([got?.receipt ?? '']);
      expect(await bodies()).toEqual(['alive']);
    });

    it('tells the age of the oldest message', async () => {
      await stream.send(['a']);
      await clock.advance(5000);
      await stream.send(['b']);
      await clock.advance(2000);
      const { oldestAgeMs } = await stream.figures();
      expect(oldestAgeMs).toBeGreaterThanOrEqual(7000);
      expect(oldestAgeMs).toBeLessThanOrEqual(7000 + toleranceMs);
    });

    it('takes messages of any text and none at all', async () => {
      await stream.send([]);
      await stream.send(['', 'ü\u0000"\n', 'x'.repeat(60_000)]);
      expect((await bodies()).map(({ length }) => length)).toEqual([0, 60_000, 4]);
    });
  });
}
