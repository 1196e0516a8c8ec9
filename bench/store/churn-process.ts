// Child process of the bench of churn: a fresh store in the folder it is given, one order, one answer.
import { createEmbedded } from '../../lib/engine/wire/embedded.ts';
import { keepHeapSmall } from '../../lib/engine/wire/system-memory.ts';
import { CHURNED, Churn, type Wave } from '../../test/compaction/churn.ts';
import { peakRssDuring } from '../bench.ts';
import type { ChurnAnswer, ChurnOrder } from '../churn.ts';

const KIB = 1024;

keepHeapSmall(); // as the CLI does

const DRIVES = 20;

async function carriedOut(folder: string, order: ChurnOrder): Promise<Omit<ChurnAnswer, 'peakRssBytes'>> {
  const store = await createEmbedded(`${folder}/store`, { settings: CHURNED, drives: DRIVES });
  try {
    const churn = new Churn(store, { files: order.files, bytesMin: 4 * KIB, bytesMax: 64 * KIB, seed: 2026 });
    const beganMs = performance.now();
    const putBytes = await churn.put(order.files);
    const putAtMs = performance.now();
    const putMs = putAtMs - beganMs;
    if (order.what === 'one-shot') {
      const oneShot = await churn.oneShot(order.share);
      return { putMs, putBytes, ms: performance.now() - putAtMs, waves: [], oneShot };
    }
    const waves: Wave[] = [];
    for (let i = 0; i < order.waves; i++) waves.push(await churn.wave(order.share, order.target));
    return { putMs, putBytes, ms: performance.now() - putAtMs, waves };
  } finally {
    await store.close();
  }
}

process.once('message', async (order: ChurnOrder) => {
  const { result, peakRssBytes } = await peakRssDuring(() => carriedOut(process.argv[2] as string, order));
  process.send?.({ ...result, peakRssBytes } satisfies ChurnAnswer);
});
