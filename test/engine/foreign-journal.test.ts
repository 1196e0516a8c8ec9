// A journal of another release stands in the way of compaction only: whoever puts, reads, deletes, encodes or looks goes on, also where
// there is something of a dead process to recover.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunId, VolumeId } from '../../lib/foundation/ids.ts';
import type { Attributes } from '../../lib/panda/panda.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { takeRun } from '../../lib/volume/runs/runs.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { differing } from './small-store.ts';
import { makeSparse, type Sparse, withClient } from './sparse-store.ts';

const folder = temporaryFolder();
const RUN = 'l2/parked/newer' as RunId;
let made: Sparse;

beforeAll(async () => {
  made = await makeSparse(folder, 'made');
});

describe('a journal of another release', () => {
  const ROWS: Readonly<Record<string, Attributes>> = {
    'of a later version': { f: 99, r: RUN, s: 'COPY' },
    'without anything known in it': { x: 'y' },
  };
  for (const [what, attributes] of Object.entries(ROWS))
    it(`${what} refuses compaction, and nothing else`, async () => {
      const dir = join(folder, `copy-${attributes['f'] ?? 'none'}`);
      cpSync(made.dir, dir, { recursive: true });
      const leased = await withClient(dir, async (_, { components }) => {
        await components.panda.transact([{ kind: 'put', partition: 'work/run', sort: RUN, attributes }]);
        const [volume] = await listVolumes(components.panda, components.settings.cell);
        await takeRun(components, volume?.id as VolumeId, RUN);
        return volume?.id;
      });
      await withClient(dir, async (client, store) => {
        const body = Buffer.from('still put');
        const request = {
          key: 'new',
          body: async function* () {
            yield body;
          },
        };
        for await (const outcome of client.putAll([request])) expect(outcome).toMatchObject({ ok: true });
        expect(await differing(store, new Map([...made.files, ['new', body]]))).toEqual([]);
        for await (const outcome of client.deleteAll(['new'])) expect(outcome).toMatchObject({ ok: true });
        await client.admin.encode({ all: true });
        expect((await client.admin.status()).volumes.length).toBeGreaterThan(0);
        expect((await client.admin.plan()).runs).toBeInstanceOf(Array);
        await expect(client.admin.compact()).rejects.toMatchObject({
          kind: 'invalid',
          code: 'JOURNAL_VERSION',
          message: expect.stringContaining('let the release that began it end it'),
        });
        // Its lease is its own to end: nobody here knows which volumes it needs.
        const volumes = await listVolumes(store.components.panda, store.components.settings.cell);
        expect(volumes.filter(({ run }) => run === RUN).map(({ id }) => id)).toEqual([leased]);
      });
    });
});
