// The six codecs behind the one interface of codec.ts.
import type { Codec, CodecName } from './codec.ts';
import { linearCodeOf } from './codes.ts';
import { createCopyCodec } from './copy-codec.ts';
import type { InPlaceCodec } from './in-place.ts';
import type { Kernel } from './kernel/kernel.ts';
import { createPlainKernel } from './kernel/plain-kernel.ts';
import { createSimdKernel, hasSimd } from './kernel/simd-kernel.ts';
import { createLinearCodec } from './linear-codec.ts';
import { codecShape } from './shape.ts';

const codecs = new Map<CodecName, InPlaceCodec>();
const kernel = hasSimd() ? createSimdKernel() : createPlainKernel();

export const codecOf = (name: CodecName): Codec => inPlaceCodecOf(name);

export function inPlaceCodecOf(name: CodecName): InPlaceCodec {
  const codec = codecs.get(name) ?? createCodec(name, kernel);
  codecs.set(name, codec);
  return codec;
}

/** A codec over a kernel of one's own: for tests and measurements. */
export function createCodec(name: CodecName, over: Kernel): InPlaceCodec {
  if (name === 'single' || name === 'replica-4') return createCopyCodec(name, codecShape(name));
  return createLinearCodec(linearCodeOf(name), over);
}
