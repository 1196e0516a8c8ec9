// Thirty thousand requests of one seed, as CI has time for; `npm run fuzz:s3` sends a million.
import { expect, it } from 'vitest';
import { fuzz } from './fuzz.ts';

it('thirty thousand requests, sound and spoiled: no fault, none that hangs, nothing stored that was not sent', async () => {
  const { wrong, byKind, byStatus, slowestMs, heapMib } = await fuzz(30_000, 7);
  expect(wrong).toEqual([]);
  for (const kind of ['chunked', 'xml', 'range', 'signature', 'presigned', 'headers'])
    expect([kind, (byKind[kind] ?? 0) > 1000]).toEqual([kind, true]);
  for (const status of [200, 204, 206, 400, 403, 404, 416, 501])
    expect([status, byStatus[status] ?? 0]).not.toEqual([status, 0]);
  expect(slowestMs).toBeLessThan(1000);
  expect(heapMib[1] - heapMib[0]).toBeLessThan(16);
});
