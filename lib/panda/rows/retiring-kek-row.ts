// kek-retiring | version: a KEK version that is about to be destroyed. Every transaction that would index a block
// wrapped by it fails from then on, so that what is counted as wrapped by it can only shrink.
import type { Check, Key, Put } from '../panda.ts';

const retiringKey = (version: number): Key => ({ partition: 'kek-retiring', sort: String(version) });

export const retireKek = (version: number): Put => ({
  kind: 'put',
  ...retiringKey(version),
  attributes: { v: version },
});

export const notRetiring = (version: number): Check => ({ kind: 'check', ...retiringKey(version), if: ['absent'] });
