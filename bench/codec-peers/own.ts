// The kernel of this project in its own memory and on ordinary buffers, and its plain twin, on the shared cases.
// Usage: node own.ts DATA [revectorized]; a process of its own, so that every contender starts equal. Revectorized: in
// its own memory only.
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { codecOf, createCodec } from '../../lib/codec/codecs.ts';
import { allocateColumns } from '../../lib/codec/group-memory.ts';
import { createPlainKernel } from '../../lib/codec/kernel/plain-kernel.ts';
import { isRevectorizing, revectorize } from '../../lib/codec/kernel/revectorize.ts';
import { CODES, FRAGMENTS, type Operation, timed } from './cases.ts';

type Code = (typeof CODES)[number];
const LOCAL_COLUMNS = 6;

const dataPath = process.argv[2];
if (dataPath === undefined) throw new Error('usage: own.ts DATA');
const data = readFileSync(dataPath);
const isRevectorized = process.argv[3] === 'revectorized';
if (isRevectorized) revectorize(setFlagsFromString);

for (const code of CODES) {
  for (const fragmentBytes of FRAGMENTS) {
    await inOwnMemory(code, fragmentBytes);
    if (isRevectorized) continue;
    await onBuffers('this kernel, buffers', codecOf(code.name), code, fragmentBytes);
    await onBuffers('plain twin', createCodec(code.name, createPlainKernel()), code, fragmentBytes);
  }
}

/** Which columns are lost, and how many bytes are read. */
function losses(code: Code, fragmentBytes: number): { operation: Operation; lost: readonly number[]; bytes: number }[] {
  const one = {
    operation: 'lose-1',
    lost: [0],
    bytes: Math.min(LOCAL_COLUMNS, code.dataColumns) * fragmentBytes,
  } as const;
  const worst = { operation: 'worst', lost: code.worst, bytes: code.dataColumns * fragmentBytes } as const;
  return code.worst.length === 1 ? [one] : [one, worst];
}

function fragmentOf(column: number, fragmentBytes: number): Uint8Array {
  return data.subarray(column * fragmentBytes, (column + 1) * fragmentBytes);
}

async function inOwnMemory(code: Code, fragmentBytes: number): Promise<void> {
  const codec = codecOf(code.name);
  using group = allocateColumns(codec, fragmentBytes);
  group.data.forEach((column, i) => {
    column.set(fragmentOf(i, fragmentBytes));
  });
  const lengths = group.data.map((column) => column.length);
  const contender = isRevectorized ? 'this kernel, revectorized' : 'this kernel';
  await report(contender, code, 'encode', fragmentBytes, code.dataColumns * fragmentBytes, () => group.encode(lengths));
  for (const { operation, lost, bytes } of losses(code, fragmentBytes)) {
    for (const column of lost) group.data[column]?.fill(0x55);
    await report(contender, code, operation, fragmentBytes, bytes, () => group.reconstruct(lengths, lost));
    for (const column of lost) check(group.data[column] as Uint8Array, fragmentOf(column, fragmentBytes));
  }
}

async function onBuffers(
  contender: string,
  codec: ReturnType<typeof codecOf>,
  code: Code,
  fragmentBytes: number,
): Promise<void> {
  const columns = Array.from({ length: code.dataColumns }, (_, i) => Uint8Array.from(fragmentOf(i, fragmentBytes)));
  const bytes = code.dataColumns * fragmentBytes;
  await report(contender, code, 'encode', fragmentBytes, bytes, () => codec.encode(columns));
  const all = [...columns, ...codec.encode(columns)];
  for (const loss of losses(code, fragmentBytes)) {
    const left = all.map((column, i) => (loss.lost.includes(i) ? null : column));
    const rebuild = (): Uint8Array[] => codec.reconstruct(left, loss.lost, fragmentBytes);
    await report(contender, code, loss.operation, fragmentBytes, loss.bytes, rebuild);
    rebuild().forEach((column, i) => {
      check(column, all[loss.lost[i] as number] as Uint8Array);
    });
  }
}

async function report(
  contender: string,
  code: Code,
  operation: Operation,
  fragmentBytes: number,
  bytes: number,
  run: () => unknown,
): Promise<void> {
  const { bestGBs, medianGBs } = await timed(bytes, run);
  console.log([contender, code.name, operation, fragmentBytes, bestGBs.toFixed(3), medianGBs.toFixed(3)].join('\t'));
}

if (isRevectorized && !isRevectorizing()) throw new Error('a revectorized program differs from its twin');

function check(rebuilt: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(rebuilt, expected) !== 0) throw new Error('a rebuilt column differs');
}
