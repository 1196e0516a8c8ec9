// The same bytes where there is no WebAssembly, where V8 never optimizes it, and where it widens vectors on its own.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCodec } from '../../lib/codec/codecs.ts';
import { createPlainKernel } from '../../lib/codec/kernel/plain-kernel.ts';
import { randomColumns } from './reference.ts';

const parityDigest = (): string => {
  const lengths = Array.from({ length: 12 }, (_, i) => 90_001 - 511 * i);
  const digest = createHash('sha256');
  for (const column of createCodec('lrc-12-2-2', createPlainKernel()).encode(randomColumns(12, lengths, 77))) {
    digest.update(column);
  }
  return digest.digest('hex');
};

describe('other runtimes', () => {
  it.each([
    ['no WebAssembly', [], ['hide-webassembly'], false, false],
    ['baseline code only', ['--liftoff-only'], [], true, false],
    ['V8 told to widen vectors', ['--experimental-wasm-revectorize'], [], true, false],
    ['revectorized', [], ['revectorize'], true, true],
  ])('%s', (_, flags, args, hasSimd, isRevectorizing) => {
    const child = join(import.meta.dirname, 'runtime-child.ts');
    const output = execFileSync(process.execPath, [...flags, child, ...args], { encoding: 'utf8' });
    expect(JSON.parse(output)).toEqual({ hasSimd, isRevectorizing, isSound: true, parity: parityDigest() });
  });
});
