// Sealing and opening of one block at a time, on the calling thread and by way of the thread pool, beside the bound of
// its primitives alone: zstd level 1 (where the block is compressible), AES-256-GCM; for opening, these back and
// SHA-256.
import { createCipheriv, createDecipheriv, createSecretKey, hash } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { systemRandomness } from '../lib/foundation/randomness.ts';
import { blockIdOf, openBlock, openBlockInPool, sealBlock, sealBlockInPool } from '../lib/keys/envelope.ts';
import { type Benches, type BenchResult, type Figure, machine, medianMsInTurns } from './bench.ts';

const KIB = 1024;
const ROUNDS = 15;
const ROUND_BYTES = 16 * KIB * KIB;
const NONCE = Buffer.alloc(12);
const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

export const benches: Benches = { envelope };

async function envelope(): Promise<BenchResult> {
  const figures: Figure[] = [];
  for (const bytes of [4 * KIB, 16 * KIB, 64 * KIB, KIB * KIB, 4 * KIB * KIB])
    for (const isCompressible of [false, true]) figures.push(...(await figuresOf(bytes, isCompressible)));
  return { bench: 'envelope', machine: machine(), figures };
}

async function figuresOf(bytes: number, isCompressible: boolean): Promise<Figure[]> {
  const count = Math.max(4, Math.min(400, ROUND_BYTES / bytes));
  const random = systemRandomness.bytes(bytes);
  const block = isCompressible ? random.map((byte) => 97 + (byte % 16)) : random;
  const kek = { version: 1, key: systemRandomness.bytes(32) };
  const sealed = sealBlock(block, systemRandomness, kek);
  const expected = { recordId: sealed.recordId, blockId: blockIdOf(block) };
  const bound = primitives(block, isCompressible);
  const repeated = (work: () => unknown) => () => {
    for (let i = 0; i < count; i++) work();
  };
  const together = (work: () => Promise<unknown>) => () => Promise.all(Array.from({ length: count }, work));
  const times = await medianMsInTurns(ROUNDS, [
    repeated(bound.seal),
    repeated(() => sealBlock(block, systemRandomness, kek)),
    together(() => sealBlockInPool(block, systemRandomness, kek)),
    repeated(bound.open),
    repeated(() => openBlock(sealed.record, sealed.wrappedBek, kek.key, expected)),
    together(() => openBlockInPool(sealed.record, sealed.wrappedBek, kek.key, expected)),
  ]);
  const speed = times.map((ms) => (bytes * count) / KIB / KIB / (ms / 1000));
  const [sealBound, seal, sealPool, openBound, open, openPool] = speed as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const what = `${bytes / KIB} KiB ${isCompressible ? 'compressible' : 'random'}`;
  const figure = (name: string, value: number, of: number): Figure => ({
    name: `${what}: ${name}`,
    value,
    unit: 'MiB/s',
    ratio: value / of,
  });
  return [
    figure('seal', seal, sealBound),
    figure('seal, pool', sealPool, sealBound),
    figure('open', open, openBound),
    figure('open, pool', openPool, openBound),
  ];
}

function primitives(block: Uint8Array, isCompressible: boolean): { seal: () => unknown; open: () => unknown } {
  const key = createSecretKey(systemRandomness.bytes(32));
  const encrypt = (content: Uint8Array): [Uint8Array, Uint8Array] => {
    const cipher = createCipheriv('aes-256-gcm', key, NONCE);
    const body = cipher.update(content);
    cipher.final();
    return [body, cipher.getAuthTag()];
  };
  const pack = (): Uint8Array => (isCompressible ? zstdCompressSync(block, ZSTD) : block);
  const [body, tag] = encrypt(pack());
  const open = (): unknown => {
    const decipher = createDecipheriv('aes-256-gcm', key, NONCE).setAuthTag(tag);
    const content = decipher.update(body);
    decipher.final();
    return hash('sha256', isCompressible ? zstdDecompressSync(content) : content);
  };
  return { seal: () => encrypt(pack()), open };
}
