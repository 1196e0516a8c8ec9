// What sealed volumes cost, measured on memory drives: records put, encoded and sealed until enough volumes are full; then raw bytes,
// as status counts them, over live bytes.
import { createCipheriv } from 'node:crypto';
import { codecOf } from '../../lib/codec/codecs.ts';
import { collectStatus } from '../../lib/engine/status/collect-status.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { capacityBytes, type Settings, settingsOf } from '../../lib/settings/settings.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { type Process, World } from './harness.ts';

const KIB = 1024;

export interface SealedOverhead {
  readonly volumes: number;
  /** Stored bytes / live bytes / the code's own overhead. */
  readonly storedToCode: number;
  /** Allocated bytes (whole extents) / live bytes / the code's own overhead. */
  readonly allocatedToCode: number;
  /** Live bytes / capacity. */
  readonly meanFill: number;
  readonly leastFill: number;
}

/** Every byte setting 64 times smaller: a record is the same share of a group and of a volume. */
export const PERSONAL_SCALED: Settings = settingsOf('personal', {
  preset: 'custom',
  blockBytesMax: 64 * KIB,
  extentBytes: KIB * KIB,
  bucketBytes: 256 * KIB,
  groupBytesMin: 1536 * KIB,
});

/** Incompressible bytes, the same for the same seed. */
export function incompressible(bytes: number, seed: number): Uint8Array {
  const nonce = Buffer.alloc(16);
  nonce.writeUInt32LE(seed);
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), nonce).update(Buffer.alloc(bytes));
}

/** Puts bodies of the sizes that `nextBytes` draws until at least `volumesMin` warm volumes are sealed. */
export async function sealedOverhead(
  settings: Settings,
  volumesMin: number,
  nextBytes: (random: SeededRandomness) => number,
): Promise<SealedOverhead> {
  const random = new SeededRandomness(5);
  const process = new World(3, settings).start();
  const portion = capacityBytes(settings, settings.warmCodec);
  let files = 0;
  for (let rounds = 0; rounds < 8 * volumesMin; rounds++) {
    const bodies: { namespace: string; key: string; body: Uint8Array }[] = [];
    for (let bytes = 0; bytes < portion; bytes += bodies.at(-1)?.body.length ?? 0) {
      files += 1;
      bodies.push({ namespace: 'default', key: `f${files}`, body: incompressible(nextBytes(random), files) });
    }
    for await (const outcome of process.frontend.putAll(bodies)) if (!outcome.ok) throw outcome.error;
    await process.volumes.open.sealAll('hot');
    const { stalled } = await encodeHot(process.volumes, { force: true });
    if (stalled !== undefined) throw new Error(stalled.text);
    await freeTrash(process.volumes, { ignoreGrace: true });
    const measured = await measure(process);
    if (measured.volumes >= volumesMin) return measured;
  }
  throw new Error(`fewer than ${volumesMin} volumes were sealed`);
}

async function measure(process: Process): Promise<SealedOverhead> {
  const { settings } = process.components;
  const { overhead, volumes } = await collectStatus(process.components);
  const code = codecOf(settings.warmCodec).overhead;
  const fills = volumes
    .filter(({ class: cls, state }) => cls === 'warm' && state === 'sealed')
    .map(({ liveBytes }) => liveBytes / capacityBytes(settings, settings.warmCodec));
  return {
    volumes: fills.length,
    storedToCode: (overhead.sealed.stored ?? 0) / code,
    allocatedToCode: (overhead.sealed.allocated ?? 0) / code,
    meanFill: fills.reduce((sum, fill) => sum + fill, 0) / Math.max(1, fills.length),
    leastFill: Math.min(...fills),
  };
}
