// The plain twin over all patterns of four losses: the rest of what kernels.test.ts begins.
import { expect, it } from 'vitest';
import { createCodec } from '../../lib/codec/codecs.ts';
import { createPlainKernel } from '../../lib/codec/kernel/plain-kernel.ts';
import { patterns, randomColumns, sameBytes } from './reference.ts';

it('the plain twin rebuilds every decodable pattern of four losses of lrc-12-2-2', () => {
  const codec = createCodec('lrc-12-2-2', createPlainKernel());
  const data = randomColumns(12, 192, 23);
  const columns = [...data, ...codec.encode(data)];
  let rebuilt = 0;
  for (const lost of patterns(16, 4)) {
    if (lost.length < 4 || !codec.canReconstruct(lost)) continue;
    const holes = columns.map((column, i) => (lost.includes(i) ? null : column));
    const found = codec.reconstruct(holes, lost, 192);
    expect(lost.every((column, i) => sameBytes(found[i] as Uint8Array, columns[column] as Uint8Array))).toBe(true);
    rebuilt++;
  }
  expect(rebuilt).toBe(1568);
});
