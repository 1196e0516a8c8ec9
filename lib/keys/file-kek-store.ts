// KEKs in a key file (key-file.ts) beside an embedded store. Several processes may use it: whoever changes it takes the
// lock, reads it again, and replaces it whole.
import fs from 'node:fs';
import type { Clock } from '../foundation/clock.ts';
import { conflict } from '../foundation/errors.ts';
import type { StoreId } from '../foundation/ids.ts';
import type { Randomness } from '../foundation/randomness.ts';
import { KEK_BYTES } from './envelope.ts';
import { underFileLock } from './file-lock.ts';
import { readKeyFile, replaceKeyFile } from './key-file.ts';
import { currentOf, type KeyRing, materialOf, versionsOf, withNextVersion, withoutMaterial } from './key-ring.ts';
import type { KekStore, KekVersion } from './keys.ts';

export interface KeyFilePorts {
  readonly clock: Clock;
  readonly randomness: Randomness;
}

/**
 * Makes the key file with version 1, mode 0600. One that is there is kept, and must be this store's: no key is ever
 * lost.
 */
export async function createKeyFile(file: string, storeId: StoreId, ports: KeyFilePorts): Promise<FileKekStore> {
  await underFileLock(lockOf(file), () => {
    if (isThere(file)) return;
    replaceKeyFile(file, storeId, withNextVersion([], ports.randomness.bytes(KEK_BYTES), ports.clock.nowMs()));
  });
  return openKeyFile(file, storeId, ports);
}

/** Makes the key file out of a copy of it. Throws `conflict` KEYS_EXIST: keys that are there are never replaced. */
export async function putBackKeyFile(file: string, storeId: StoreId, ring: KeyRing<Uint8Array>): Promise<void> {
  await underFileLock(lockOf(file), () => {
    if (isThere(file))
      throw conflict('KEYS_EXIST', `${file} is there already: move it away first, if it is not wanted`);
    replaceKeyFile(file, storeId, ring);
  });
}

/** Throws `denied` KEK_MISSING, KEK_WRONG or KEK_DENIED. */
export async function openKeyFile(file: string, storeId: StoreId, ports: KeyFilePorts): Promise<FileKekStore> {
  readKeyFile(file, storeId);
  return new FileKekStore(file, storeId, ports);
}

export class FileKekStore implements KekStore {
  readonly #file: string;
  readonly #storeId: StoreId;
  readonly #ports: KeyFilePorts;
  readonly #known = new Map<number, Uint8Array>();

  constructor(file: string, storeId: StoreId, ports: KeyFilePorts) {
    this.#file = file;
    this.#storeId = storeId;
    this.#ports = ports;
  }

  async versions(): Promise<readonly KekVersion[]> {
    return versionsOf(this.#read());
  }

  async kek(version: number): Promise<Uint8Array> {
    const known = this.#known.get(version);
    if (known !== undefined) return known;
    const key = materialOf(this.#read(), version);
    this.#known.set(version, key);
    return key;
  }

  async rotate(): Promise<KekVersion> {
    const { clock, randomness } = this.#ports;
    return currentOf(await this.#change((ring) => withNextVersion(ring, randomness.bytes(KEK_BYTES), clock.nowMs())));
  }

  async destroy(version: number): Promise<void> {
    await this.#change((ring) => withoutMaterial(ring, version));
    this.#known.delete(version); // not zeroed: a caller may be sealing with it, and would seal under a key of zeros
  }

  #read(): KeyRing<Uint8Array> {
    return readKeyFile(this.#file, this.#storeId);
  }

  #change(change: (ring: KeyRing<Uint8Array>) => KeyRing<Uint8Array>): Promise<KeyRing<Uint8Array>> {
    return underFileLock(lockOf(this.#file), () => {
      const before = this.#read();
      const after = change(before);
      if (after !== before) replaceKeyFile(this.#file, this.#storeId, after);
      return after;
    });
  }
}

const lockOf = (file: string): string => `${file}.lock`;
const isThere = (file: string): boolean => fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
