// Run by runtimes.test.ts under other V8 flags, revectorized, or without WebAssembly: codes a group in the kernel's memory and on buffers, rebuilds it, and prints
// whether SIMD was there and a digest of the parity.
import './hide-webassembly.ts';

import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { codecOf } from '../../lib/codec/codecs.ts';
import { allocateColumns } from '../../lib/codec/group-memory.ts';
import { isRevectorizing, revectorize } from '../../lib/codec/kernel/revectorize.ts';
import { hasSimd } from '../../lib/codec/kernel/simd-kernel.ts';
import { warmUp } from '../../lib/codec/kernel/warm-up.ts';
import { randomColumns, sameBytes } from './reference.ts';

const lengths = Array.from({ length: 12 }, (_, i) => 90_001 - 511 * i);
if (process.argv.includes('revectorize')) revectorize(setFlagsFromString);
const codec = codecOf('lrc-12-2-2');
await warmUp(['lrc-12-2-2', 'replica-4'], async () => {});
using group = allocateColumns(codec, 90_001);
const data = randomColumns(12, lengths, 77);
for (const [i, bytes] of data.entries()) group.data[i]?.set(bytes);

const parity = group.encode(lengths);
const digest = createHash('sha256');
for (const column of parity) digest.update(column);
let isSound = codec.encode(data).every((column, i) => sameBytes(column, parity[i] as Uint8Array));

const lost = [0, 1, 6, 7];
for (const column of lost) group.data[column]?.fill(0x55);
group.reconstruct(lengths, lost);
for (const column of lost) {
  const bytes = data[column] as Uint8Array;
  isSound &&= sameBytes((group.data[column] as Uint8Array).subarray(0, bytes.length), bytes);
}
console.log(
  JSON.stringify({ hasSimd: hasSimd(), isRevectorizing: isRevectorizing(), isSound, parity: digest.digest('hex') }),
);
