// What surrounds the codes on the path of a group: checksums and hashes of several sources, and the Live Coder's bound
// (checksum, encode and write of one group) on one core. Also how long a new erasure pattern takes.
import { createHash, hash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { codecOf } from '../../lib/codec/codecs.ts';
import { linearCodeOf } from '../../lib/codec/codes.ts';
import { maskOf, solve } from '../../lib/codec/decode.ts';
import { allocateColumns } from '../../lib/codec/group-memory.ts';
import { compileProgram } from '../../lib/codec/kernel/simd-compiler.ts';
import { wasmHost } from '../../lib/codec/kernel/wasm-host.ts';
import { repairProgram } from '../../lib/codec/planner.ts';
import type { Figure } from '../bench.ts';
import { fragmentData, timed } from './cases.ts';

const MIB = 1 << 20;

export async function benchPrimitives(): Promise<Figure[]> {
  const block = Buffer.from(fragmentData().subarray(0, 4 * MIB));
  const sources: [string, () => unknown][] = [
    ['zlib.crc32 (IEEE)', () => crc32(block)],
    ['crypto.hash SHA-256', () => hash('sha256', block, 'buffer')],
    ['crypto.createHash SHA-256', () => createHash('sha256').update(block).digest()],
    ['crypto.subtle SHA-256', () => crypto.subtle.digest('SHA-256', block)],
    ...nativeCrc(block),
  ];
  const figures: Figure[] = [];
  for (const [name, run] of sources) {
    figures.push({ name, value: round((await timed(block.length, run)).bestGBs), unit: 'GB/s' });
  }
  return [...figures, ...(await benchCoder())];
}

/** The native package, where NODE_RS_FOLDER names a folder it is installed in. */
function nativeCrc(block: Buffer): [string, () => unknown][] {
  const folder = process.env['NODE_RS_FOLDER'];
  if (folder === undefined) {
    console.error('@node-rs/crc32 skipped: set NODE_RS_FOLDER to a folder where it is installed');
    return [];
  }
  const native = createRequire(join(folder, 'package.json'))('@node-rs/crc32') as {
    crc32(bytes: Buffer): number;
    crc32c(bytes: Buffer): number;
  };
  return [
    ['@node-rs/crc32 crc32', () => native.crc32(block)],
    ['@node-rs/crc32 crc32c', () => native.crc32c(block)],
  ];
}

/**
 * One group as the Live Coder writes it, and its parts: encode and checksum of all columns, and their write to the page
 * cache.
 */
async function benchCoder(): Promise<Figure[]> {
  const codec = codecOf('lrc-12-2-2');
  const columnBytes = 4 * MIB;
  using group = allocateColumns(codec, columnBytes);
  const data = fragmentData();
  for (const column of group.data) column.set(data.subarray(0, columnBytes));
  const lengths = group.data.map((column) => column.length);
  const folder = mkdtempSync(join(tmpdir(), 'pocketful-codec-'));
  const file = openSync(join(folder, 'chunk'), 'w');
  const columns = (): Uint8Array[] => [...group.data, ...group.parity];
  const encode = (): unknown => group.encode(lengths);
  const check = (): unknown => columns().map((column) => crc32(column));
  const write = (): void => {
    for (const column of columns()) writeSync(file, column, 0, column.length, 0);
  };
  const bytes = 12 * columnBytes;
  try {
    const parts: [string, () => unknown][] = [
      ['encode', encode],
      ['CRC', check],
      ['write', write],
      ['encode + CRC + write', () => [encode(), check(), write()]],
    ];
    const figures: Figure[] = [];
    for (const [name, run] of parts) {
      const { bestGBs } = await timed(bytes, run);
      figures.push({ name: `lrc-12-2-2 group of 48 MiB, one core: ${name}`, value: round(bestGBs), unit: 'GB/s' });
    }
    return figures;
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** All patterns of four losses of lrc-12-2-2: solve, plan, emit, compile. The first one pays for cold JavaScript. */
export function benchPlanning(): Figure[] {
  const code = linearCodeOf('lrc-12-2-2');
  const times: number[] = [];
  for (let pattern = 0; pattern < 1 << 16; pattern++) {
    const lost = Array.from({ length: 16 }, (_, column) => column).filter((column) => (pattern >> column) & 1);
    if (lost.length !== 4) continue;
    const start = performance.now();
    const solution = solve(code, maskOf(lost), maskOf(lost));
    if (!solution || !wasmHost) continue;
    new wasmHost.Module(compileProgram(repairProgram(code, solution)));
    times.push(performance.now() - start);
  }
  const first = times[0] as number;
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(share * (times.length - 1))] as number;
  return [
    { name: 'patterns', value: times.length, unit: '' },
    { name: 'the first pattern of a process', value: round(first), unit: 'ms' },
    { name: 'median of all', value: round(at(0.5)), unit: 'ms' },
    { name: '99 % within', value: round(at(0.99)), unit: 'ms' },
  ];
}

const round = (value: number): number => Math.round(value * 100) / 100;
