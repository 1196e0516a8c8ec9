// The main job on memory bodies: put, encode, read with drives gone, delete, GC, drain, read again.
import { describe, expect, it } from 'vitest';
import { drain } from '../../lib/compaction/do/drain.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { LiveCoder } from '../../lib/live-coder/live-coder.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { World } from './harness.ts';

describe('the main job', () => {
  it('stores, encodes, deletes, compacts and reads', async () => {
    const world = new World(1);
    const p = world.start();
    const random = new SeededRandomness(7);
    const files = new Map<string, Uint8Array>();
    for (let i = 0; i < 600; i++) files.set(`dir/${i}`, random.bytes(random.below(3000)));
    const items = [...files].map(([key, body]) => ({ namespace: 'default', key, body }));
    for await (const outcome of p.frontend.putAll(items)) expect(outcome).toMatchObject({ ok: true });
    await p.volumes.open.sealAll('hot');
    const encoded = await encodeHot(p.volumes, { force: true });
    expect(encoded.stalled).toBeUndefined();
    expect(encoded.groups).toBeGreaterThan(2);
    await freeTrash(p.volumes);
    const check = async () => {
      for (const [key, body] of files)
        expect(Buffer.from(await p.frontend.read('default', key, 1e6)).equals(body), key).toBe(true);
    };
    await check();
    const doomed = [...files.keys()].filter(() => random.below(10) < 7);
    for await (const outcome of p.frontend.deleteAll(doomed.map((key) => ({ namespace: 'default', key }))))
      expect(outcome).toMatchObject({ ok: true });
    for (const key of doomed) files.delete(key);
    await collectGarbage(p.components);
    const drained = await drain(p.volumes, (run, moved) => new LiveCoder(p.volumes, run, moved));
    expect(drained.stalled).toBeUndefined();
    expect(drained.retired).toBeGreaterThan(0);
    const freed = await freeTrash(p.volumes);
    expect(freed.kept).toEqual([]);
    await check();
    for (const key of doomed)
      await expect(p.frontend.head('default', key)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    const volumes = await listVolumes(p.components.panda, 'c0');
    expect(volumes.filter((v) => v.state !== 'open' && v.state !== 'sealed')).toEqual([]);
  });
});
