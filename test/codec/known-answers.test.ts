// Known answers: the bytes of the on-disk code, fixed for good. If one of these changes, stored volumes can no longer be
// repaired; never update a vector, give the codec a new wire number instead.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CodecName } from '../../lib/codec/codec.ts';
import { codecOf } from '../../lib/codec/codecs.ts';

/** Byte i of column c. */
const column = (c: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 37 + c * 101 + (i >> 6) * 11 + (i >> 3) * c) & 0xff);

const parityOf = (name: CodecName, lengths: (c: number) => number): Uint8Array[] => {
  const codec = codecOf(name);
  return codec.encode(Array.from({ length: codec.dataColumns }, (_, c) => column(c, lengths(c))));
};

const ONE_CELL: Readonly<Partial<Record<CodecName, readonly string[]>>> = {
  'replica-4': [
    '00254a6f94b9de03284d7297bce1062b50759abfe4092e53789dc2e70c31567ba0c5ea0f34597ea3c8ed12375c81a6cbf0153a5f84a9cef3183d6287acd1f61b',
    '00254a6f94b9de03284d7297bce1062b50759abfe4092e53789dc2e70c31567ba0c5ea0f34597ea3c8ed12375c81a6cbf0153a5f84a9cef3183d6287acd1f61b',
    '00254a6f94b9de03284d7297bce1062b50759abfe4092e53789dc2e70c31567ba0c5ea0f34597ea3c8ed12375c81a6cbf0153a5f84a9cef3183d6287acd1f61b',
  ],
  'rs-6-3': [
    'edb3157755339dffee364a7a16be1afac32997796339dff9f8b828685828e8f8e9c7597359bfd9f3ca3a467e5a3adec6c7c5437d5fbdc3c5ccb45c74543cd4cc',
    'f68f38393ad36cedf0150237c449e6fbf61b485d4a8fdcd138bd2a6facd11e238494041cfc4c6ca4109028d8b09078184697b0894a9bb45d7ce1a67b10556a7f',
    '6050b0f830900068743cec149cd4b47c3c80742054a0fc0028e8406028f8e020527ffcd96693c04dbcb1ce732035a2a7c8d8a8306858c8e0047c3c445c24c40c',
  ],
  'lrc-12-2-2': [
    'edb3157755339dffee364a7a16be1afac32997796339dff9f8b828685828e8f8e9c7597359bfd9f3ca3a467e5a3adec6c7c5437d5fbdc3c5ccb45c74543cd4cc',
    '9dff9d33557715b336defa1abe167a4a17b923f9df396379585828e8f8e8285849736947d9f3d9bfca4a4e464adac6dec3cd4f4d4345c7c5dcf4cc54544cb4dc',
    'a0e0c8383060288810a06020e010a06094c9fe7bb85d023f20c58a3f34b96e232e7b208da20f64e154790e03a86df247f28f94d136a3c8d5a0b59abf6479aed3',
    '345c64a47c549c7cbcc4bc74c4ac14acf65b80059a9f7429ec61f61b9045ca8ffcc51e9770b9d28b44a9769b98ddca4f78896233bc1da657f4996ea3c80d12e7',
  ],
  'xor-2-1': [
    '65afe5bb6da79d6ba6feaa6a9ea66abae7a99b99af79bbe99898e8a878a8e898a9ebb977a99b99affaba6e969a6ab6feab959f956bbdf7ad9c94ac74b4ec949c',
  ],
  'xor-3-1': [
    'af40f182332435a652e79409160bb84df9eaf3141dae47c8d0f57a1fa4a9ced3db7c0596afb0c9da667b889daa3fcc616d7e8fa031c253646c81962b30455a6f',
  ],
};

/** SHA-256 over all parity columns of data columns of 1000 - 64 c bytes. */
const DIGESTS: Readonly<Partial<Record<CodecName, string>>> = {
  'replica-4': '83071d78d5fedbfe84e9c4c4e5d82b99669904d3eacbeb0fca4a94fe780bdc35',
  'rs-6-3': '7b20bdf23e26b4cd6e070c0771db2815217204943a31418ffff1d5e3fda79d3b',
  'lrc-12-2-2': '6aa001078e7ecb285cd672e67051fd08da5886c2ac089b62cc6aece23f3794a9',
  'xor-2-1': '425b40783abde1725e5d22481591f669ff30849c67afd24058685a84558d14f0',
  'xor-3-1': '1ba57d97db8142779661daf30eb878b55d1a7a267fe5e61e702a9d2b5a7fef5b',
};

describe('known answers', () => {
  it.each(Object.entries(ONE_CELL) as [CodecName, readonly string[]][])('%s, one cell', (name, expected) => {
    expect(parityOf(name, () => 64).map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual(expected);
  });

  it.each(Object.entries(DIGESTS) as [CodecName, string][])('%s, columns of different lengths', (name, expected) => {
    const hash = createHash('sha256');
    for (const bytes of parityOf(name, (c) => 1000 - 64 * c)) hash.update(bytes);
    expect(hash.digest('hex')).toBe(expected);
  });
});
