// Run by revectorize.test.ts, for V8's flags are those of a whole process: rebuilds patterns with revectorized programs and counts what
// is wrong; with `disagree`, the comparison with the twin is made to fail after three programs.
import { setFlagsFromString } from 'node:v8';
import { createCodec } from '../../lib/codec/codecs.ts';
import { agreesWithTwin, isRevectorizing, revectorize } from '../../lib/codec/kernel/revectorize.ts';
import { createSimdKernel } from '../../lib/codec/kernel/simd-kernel.ts';
import { patterns, randomColumns, sameBytes } from './reference.ts';

const LENGTH = 640;
const disagrees = process.argv.includes('disagree');
let programs = 0;
revectorize(setFlagsFromString);
const kernel = createSimdKernel((program, runIn) => {
  programs++;
  return agreesWithTwin(program, runIn) && !(disagrees && programs > 3);
});

let rebuilt = 0;
let wrong = 0;
for (const [name, losses] of [
  ['rs-6-3', 3],
  ['xor-3-1', 1],
  ['lrc-12-2-2', 2],
] as const) {
  const codec = createCodec(name, kernel);
  const data = randomColumns(codec.dataColumns, LENGTH, 3);
  const columns = [...data, ...codec.encode(data)];
  for (const lost of patterns(columns.length, losses)) {
    const holes = columns.map((column, i) => (lost.includes(i) ? null : column));
    const given = codec.reconstruct(holes, lost, LENGTH);
    rebuilt++;
    if (!lost.every((column, i) => sameBytes(given[i] as Uint8Array, columns[column] as Uint8Array))) wrong++;
  }
}
console.log(JSON.stringify({ rebuilt, wrong, programs, isRevectorizing: isRevectorizing() }));
