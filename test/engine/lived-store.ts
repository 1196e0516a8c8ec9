// A store that has lived: files of two times, between them a moment to go back to, and afterwards everything sealed, coded and
// moved, so that nothing is where the first point of the journal says.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { encodeStore } from '../../lib/engine/upkeep/tend.ts';
import { createEmbedded } from '../../lib/engine/wire/embedded.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { DRIVES, putFiles, SMALL, withStore } from './small-store.ts';

type Files = ReadonlyMap<string, Uint8Array>;

/** When the first files were there, and no other. */
export async function livedStore(dir: string, first: Files, second: Files): Promise<number> {
  const store = await createEmbedded(dir, { settings: SMALL, drives: DRIVES });
  await putFiles(store, first);
  await store.close();
  const betweenMs = Date.now();
  await new Promise((done) => setTimeout(done, 1100)); // one point a second is kept
  await withStore(dir, async (again) => {
    await putFiles(again, second);
    await again.beginWriting();
    await again.volumes.open.sealAll('hot');
    await encodeStore(again, { force: true, flush: true });
    expect((await freeTrash(again.volumes, { ignoreGrace: true })).freedVolumes).toBeGreaterThan(0);
  });
  return betweenMs;
}

export function loseMetadata(dir: string): void {
  for (const name of readdirSync(dir)) if (name.startsWith('panda.')) rmSync(join(dir, name));
}
