// KEKs as KMS data keys. KMS makes a key and gives its ciphertext alone; that lies in Panda, the key only in the memory
// of a process that asked KMS to decrypt it, once: who makes a version does not learn it. The encryption context ties a
// ciphertext to its store and version, so that one put in another's place is refused by KMS itself. Destroying a
// version removes the ciphertext.
import { DecryptCommand, GenerateDataKeyWithoutPlaintextCommand, type KMSClient } from '@aws-sdk/client-kms';
import type { Clock } from '../foundation/clock.ts';
import { denied, isKind, retryLater } from '../foundation/errors.ts';
import type { StoreId } from '../foundation/ids.ts';
import { KEY_RING_ATTEMPTS_MAX } from '../limits/bytes.ts';
import { KEK_BYTES } from './envelope.ts';
import {
  currentOf,
  type KeyRing,
  materialOf,
  nextVersion,
  ringFault,
  versionsOf,
  withNextVersion,
  withoutMaterial,
} from './key-ring.ts';
import type { KekStore, KekVersion } from './keys.ts';
import { kmsError } from './kms-errors.ts';

/** A version as it lies in Panda; `material` is the ciphertext, absent once it is destroyed. */
export type StoredKeks = KeyRing<Uint8Array>;

/** Where the ciphertexts lie. Layering: Panda's rows are given from above. */
export interface KekRows {
  /** Revision 0 and no versions if nothing was ever saved. */
  load(): Promise<{ readonly revision: number; readonly keks: StoredKeks }>;
  /**
   * Replaces what lies there if its revision is still `expectedRevision`, and raises that by one; throws `conflict` if
   * not. A revision rather than the number of versions: two destructions at once would else undo one another.
   */
  save(expectedRevision: number, keks: StoredKeks): Promise<void>;
}

export interface KmsKekStoreOptions {
  readonly client: KMSClient;
  /** Id, ARN or alias of the KMS key. */
  readonly keyId: string;
  readonly storeId: StoreId;
  readonly rows: KekRows;
  readonly clock: Clock;
}

export class KmsKekStore implements KekStore {
  readonly #options: KmsKekStoreOptions;
  readonly #known = new Map<number, Promise<Uint8Array>>();

  constructor(options: KmsKekStoreOptions) {
    this.#options = options;
  }

  /** Makes version 1 unless there are versions already. */
  async initialise(): Promise<void> {
    await this.#change(async (ring) => (ring.length > 0 ? ring : this.#withNextVersion(ring)));
  }

  async versions(): Promise<readonly KekVersion[]> {
    return versionsOf(await this.#load());
  }

  kek(version: number): Promise<Uint8Array> {
    const known = this.#known.get(version);
    if (known !== undefined) return known;
    const asked = this.#decrypt(version);
    this.#known.set(version, asked);
    asked.catch(() => this.#known.delete(version));
    return asked;
  }

  async rotate(): Promise<KekVersion> {
    return currentOf(await this.#change((ring) => this.#withNextVersion(sound(ring))));
  }

  async destroy(version: number): Promise<void> {
    await this.#change(async (ring) => withoutMaterial(sound(ring), version));
    this.#known.delete(version); // not zeroed: a caller may be sealing with it, and would seal under a key of zeros
  }

  async #load(): Promise<StoredKeks> {
    return sound((await this.#options.rows.load()).keks);
  }

  async #change(change: (ring: StoredKeks) => Promise<StoredKeks>): Promise<StoredKeks> {
    const { rows } = this.#options;
    for (let conflicts = 0; ; conflicts++) {
      const { revision, keks } = await rows.load();
      const next = await change(keks);
      if (next === keks) return keks;
      try {
        await rows.save(revision, next);
        return next;
      } catch (error) {
        if (!isKind(error, 'conflict')) throw error;
        if (conflicts === KEY_RING_ATTEMPTS_MAX)
          throw retryLater('KEK_BUSY', 'others keep changing the key versions', error);
      }
    }
  }

  async #withNextVersion(ring: StoredKeks): Promise<StoredKeks> {
    const { client, keyId, clock } = this.#options;
    const EncryptionContext = this.#context(nextVersion(ring));
    try {
      const made = await client.send(
        new GenerateDataKeyWithoutPlaintextCommand({ KeyId: keyId, KeySpec: 'AES_256', EncryptionContext }),
      );
      if (made.CiphertextBlob === undefined) throw retryLater('KEK_BUSY', 'KMS answered without a key');
      return withNextVersion(ring, made.CiphertextBlob, clock.nowMs());
    } catch (error) {
      throw kmsError(error);
    }
  }

  async #decrypt(version: number): Promise<Uint8Array> {
    const CiphertextBlob = materialOf(await this.#load(), version);
    const { client, keyId } = this.#options;
    try {
      const answer = await client.send(
        new DecryptCommand({ CiphertextBlob, KeyId: keyId, EncryptionContext: this.#context(version) }),
      );
      if (answer.Plaintext?.byteLength === KEK_BYTES) return answer.Plaintext;
    } catch (error) {
      throw kmsError(error);
    }
    throw denied('KEK_WRONG', `KMS decrypted KEK version ${version} to something that is no key of 32 bytes`);
  }

  #context(version: number): Record<string, string> {
    return { store: this.#options.storeId, version: String(version) };
  }
}

function sound(ring: StoredKeks): StoredKeks {
  if (ring.length === 0) throw denied('KEK_MISSING', 'this store has no KEK yet: its deployment was not finished');
  const fault = ringFault(ring);
  if (fault !== undefined) throw denied('KEK_WRONG', `the KEK rows are damaged: ${fault}`);
  return ring;
}
