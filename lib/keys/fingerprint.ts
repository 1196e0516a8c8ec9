// Tells keys of one version apart without telling anything of them: derived by HKDF, under a label of its own, so that
// it is no check value of a key file and no key of anything.
import { hkdfSync } from 'node:crypto';
import type { StoreId } from '../foundation/ids.ts';

const FINGERPRINT_BYTES = 16;

export const kekFingerprint = (storeId: StoreId, version: number, key: Uint8Array): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', key, storeId, `pocketful kek fingerprint ${version}`, FINGERPRINT_BYTES));
