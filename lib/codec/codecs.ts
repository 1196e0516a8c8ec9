// The six codecs behind the one interface of codec.ts.
import type { Codec, CodecName } from './codec.ts';
import { linearCodeOf } from './codes.ts';
import { createCopyCodec } from './copy-codec.ts';
import type { Kernel } from './kernel.ts';
import { createLinearCodec } from './linear-codec.ts';
import { createPlainKernel } from './plain-kernel.ts';
import { codecShape } from './shape.ts';

const codecs = new Map<CodecName, Codec>();
const kernel = createPlainKernel();

export function codecOf(name: CodecName): Codec {
  const codec = codecs.get(name) ?? createCodec(name, kernel);
  codecs.set(name, codec);
  return codec;
}

/** A codec over a kernel of one's own: for tests and measurements. */
export function createCodec(name: CodecName, over: Kernel): Codec {
  if (name === 'single' || name === 'replica-4') return createCopyCodec(name, codecShape(name));
  return createLinearCodec(linearCodeOf(name), over);
}
