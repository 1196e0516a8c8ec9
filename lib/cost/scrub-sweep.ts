// How often everything is read, by the class it is kept in.
import { SCRUB_SWEEP_GLACIER_IR_MS, SCRUB_SWEEP_IA_MS, SCRUB_SWEEP_MS } from '../limits/verify.ts';
import type { StorageClass } from './price-book.ts';

export function scrubSweepMs(storageClass: StorageClass | undefined): number {
  if (storageClass === 'standard-ia' || storageClass === 'one-zone-ia') return SCRUB_SWEEP_IA_MS;
  return storageClass === 'glacier-ir' ? SCRUB_SWEEP_GLACIER_IR_MS : SCRUB_SWEEP_MS;
}
