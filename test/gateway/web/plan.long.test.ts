// Compaction from the web view: on a store with holes, the plan that was shown is approved and carried out.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { WebStore } from './web-store.ts';

let store: WebStore;

beforeAll(async () => {
  store = await WebStore.make();
});
afterAll(() => store.close());

it('a plan is carried out exactly as it was shown, one at a time', async () => {
  const { client } = store.served;
  const random = new SeededRandomness(1);
  const names = Array.from({ length: 240 }, (_, i) => `bulk/${i}`);
  const items = names.map((key) => ({
    key,
    sizeBytes: 15_000,
    async *body() {
      yield random.bytes(15_000);
    },
  }));
  for await (const outcome of client.putAll(items)) expect(outcome.ok).toBe(true);
  await client.admin.encode({ all: true });
  for await (const outcome of client.deleteAll(names.filter((_, i) => i % 3 !== 0))) expect(outcome.ok).toBe(true);
  await client.admin.emptyTrash();
  const { text } = await store.get('/ui/plan');
  const digest = /name="digest" value="([0-9a-f]{64})"/.exec(text)?.[1] as string;
  expect(digest).toBe((await client.admin.plan()).digest);
  const run = await store.post('/ui/plan/run', { digest });
  const twice = await store.post('/ui/plan/run', { digest });
  expect((await store.get(twice.headers['location'] as string)).text).toContain('Something else is under way');
  expect((await store.get(run.headers['location'] as string)).text).toContain('The plan is being carried out.');
  await store.web.ended;
  expect((await store.get('/ui/watch')).text).toMatch(/Compaction: \d+ runs? done, overhead/);
  expect(store.failures).toEqual([]);
});
