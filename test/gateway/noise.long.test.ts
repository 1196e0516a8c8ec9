// Fifty thousand requests of nonsense: no fault of the server, none that takes long, and memory that does not grow.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectAnswered } from './noise.ts';
import { ServedStore } from './served-store.ts';
import { type RawAnswer, type RawCall, send, signedHeaders } from './signed-request.ts';

const MIB = 1024 * 1024;
let store: ServedStore;

const call = (one: RawCall): Promise<RawAnswer> =>
  send(store.endpoint, signedHeaders(store.endpoint, store.key, one), one);

beforeAll(async () => {
  store = await ServedStore.make();
  await call({ method: 'PUT', target: '/photos' });
});
afterAll(() => store.close());

it('is answered', async () => {
  await expectAnswered(call, { numRuns: 5000, seed: 1 });
  const before = process.memoryUsage().rss;
  for (let seed = 2; seed < 11; seed++) await expectAnswered(call, { numRuns: 5000, seed });
  expect(store.internal).toEqual([]);
  expect((process.memoryUsage().rss - before) / MIB).toBeLessThan(200);
});
