// npm's erasure codes on the shared cases. Usage: node npm.ts DATA FOLDER, where FOLDER has codec-peers/npm installed.
// Neither has local parity: in place of lrc-12-2-2 both run plain Reed-Solomon 12+4. The native one works in Node's
// thread pool.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { CODES, FRAGMENTS, type Operation, timed } from './cases.ts';

interface NativeReedSolomon {
  create(k: number, m: number): unknown;
  encode(
    context: unknown,
    sources: number,
    targets: number,
    buffer: Buffer,
    bufferOffset: number,
    bufferBytes: number,
    parity: Buffer,
    parityOffset: number,
    parityBytes: number,
    end: (error?: Error) => void,
  ): void;
}
interface WasmReedSolomon {
  encode(shards: Uint8Array, data: number, parity: number): number;
  reconstruct(shards: Uint8Array, data: number, parity: number, available: boolean[]): number;
}

const [dataPath, folder] = process.argv.slice(2);
if (dataPath === undefined || folder === undefined) throw new Error('usage: npm.ts DATA FOLDER');
const data = readFileSync(dataPath);
const load = createRequire(join(folder, 'package.json'));
const PARITY = { 'rs-6-3': 3, 'lrc-12-2-2': 4, 'xor-2-1': 1 } as const;

for (const code of CODES) {
  for (const fragmentBytes of FRAGMENTS) {
    const losses: (readonly number[])[] = [[0], ...(code.worst.length > 1 ? [code.worst] : [])];
    await optional('@ronomon/reed-solomon', () => native(code.name, code.dataColumns, fragmentBytes, losses));
    await optional('@subspace/reed-solomon-erasure.wasm', () =>
      wasm(code.name, code.dataColumns, fragmentBytes, losses),
    );
  }
}

async function optional(name: string, run: () => Promise<void>): Promise<void> {
  await run().catch((error: unknown) => console.error(`${name}: ${error instanceof Error ? error.message : error}`));
}

async function native(code: keyof typeof PARITY, k: number, fragmentBytes: number, losses: (readonly number[])[]) {
  const rs = load('@ronomon/reed-solomon') as NativeReedSolomon;
  const m = PARITY[code];
  const context = rs.create(k, m);
  const buffer = Buffer.from(data.subarray(0, k * fragmentBytes));
  const parity = Buffer.alloc(m * fragmentBytes);
  const run = (sources: number, targets: number): Promise<void> =>
    new Promise((resolve, reject) => {
      rs.encode(context, sources, targets, buffer, 0, buffer.length, parity, 0, parity.length, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  const everyData = 2 ** k - 1;
  const everyParity = (2 ** m - 1) << k;
  const bytes = k * fragmentBytes;
  const name = '@ronomon/reed-solomon (thread pool)';
  report(name, code, 'encode', fragmentBytes, await timed(bytes, () => run(everyData, everyParity)));
  for (const lost of losses) {
    const mask = lost.reduce((bits, column) => bits | (1 << column), 0);
    const speed = await timed(bytes, () => run((everyData | everyParity) & ~mask, mask));
    report(name, code, lost.length === 1 ? 'lose-1' : 'worst', fragmentBytes, speed);
  }
}

async function wasm(code: keyof typeof PARITY, k: number, fragmentBytes: number, losses: (readonly number[])[]) {
  const { ReedSolomonErasure } = load('@subspace/reed-solomon-erasure.wasm') as {
    ReedSolomonErasure: { fromCurrentDirectory(): Promise<WasmReedSolomon> };
  };
  const rs = await ReedSolomonErasure.fromCurrentDirectory();
  const m = PARITY[code];
  const shards = new Uint8Array((k + m) * fragmentBytes);
  shards.set(data.subarray(0, k * fragmentBytes));
  const bytes = k * fragmentBytes;
  const name = '@subspace/reed-solomon-erasure.wasm';
  report(name, code, 'encode', fragmentBytes, await timed(bytes, () => rs.encode(shards, k, m)));
  for (const lost of losses) {
    const available = Array.from({ length: k + m }, (_, i) => !lost.includes(i));
    const speed = await timed(bytes, () => rs.reconstruct(shards, k, m, [...available]));
    report(name, code, lost.length === 1 ? 'lose-1' : 'worst', fragmentBytes, speed);
  }
}

function report(
  contender: string,
  code: string,
  operation: Operation,
  fragmentBytes: number,
  { bestGBs, medianGBs }: { bestGBs: number; medianGBs: number },
): void {
  console.log([contender, code, operation, fragmentBytes, bestGBs.toFixed(3), medianGBs.toFixed(3)].join('\t'));
}
