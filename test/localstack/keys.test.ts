// The KMS body of the KEK store against real KMS calls: the contract, ciphertexts put in one another's place, and a KMS key that
// cannot be used.
import { CreateKeyCommand, DisableKeyCommand, KMSClient, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../lib/foundation/clock.ts';
import { conflict } from '../../lib/foundation/errors.ts';
import { newStoreId, type StoreId } from '../../lib/foundation/ids.ts';
import { systemRandomness } from '../../lib/foundation/randomness.ts';
import { type KekRows, KmsKekStore, type StoredKeks } from '../../lib/keys/kms-kek-store.ts';
import { keysContract } from '../contract/keys.contract.ts';

const denied = (code: string): object => expect.objectContaining({ name: 'PocketfulError', kind: 'denied', code });

/** Rows as Panda would keep them, with its conflicts. */
class MemoryRows implements KekRows {
  keks: StoredKeks = [];
  revision = 0;

  async load(): Promise<{ revision: number; keks: StoredKeks }> {
    return { revision: this.revision, keks: this.keks };
  }

  async save(expectedRevision: number, keks: StoredKeks): Promise<void> {
    if (expectedRevision !== this.revision) throw conflict('CONDITION_FAILED', 'the rows changed');
    this.keks = keks;
    this.revision++;
  }
}

const client = new KMSClient();
let keyId: string;
const storeOn = (rows: KekRows, storeId: StoreId, key = keyId): KmsKekStore =>
  new KmsKekStore({ client, keyId: key, storeId, rows, clock: systemClock });
const newKey = async (): Promise<string> => (await client.send(new CreateKeyCommand())).KeyMetadata!.KeyId!;
const forget = (key: string): Promise<unknown> =>
  client.send(new ScheduleKeyDeletionCommand({ KeyId: key, PendingWindowInDays: 7 }));

beforeAll(async () => {
  keyId = await newKey();
});
afterAll(async () => {
  await forget(keyId);
  client.destroy();
});

keysContract('KMS', async () => {
  const rows = new MemoryRows();
  const storeId = newStoreId(systemRandomness);
  const store = storeOn(rows, storeId);
  await store.initialise();
  return { store, reopen: async () => storeOn(rows, storeId), close: async () => undefined };
});

describe('KMS KEK store', () => {
  const storeId = newStoreId(systemRandomness);

  it('is initialised once, whoever else does it at the same time', async () => {
    const rows = new MemoryRows();
    await Promise.all([1, 2, 3].map(() => storeOn(rows, storeId).initialise()));
    expect(rows.keks).toHaveLength(1);
  });

  it('says so when it was never initialised', async () => {
    const store = storeOn(new MemoryRows(), storeId);
    await expect(store.versions()).rejects.toEqual(denied('KEK_MISSING'));
    await expect(store.kek(1)).rejects.toEqual(denied('KEK_MISSING'));
    await expect(store.rotate()).rejects.toEqual(denied('KEK_MISSING'));
  });

  it('keeps ciphertexts only, and none of a destroyed version', async () => {
    const rows = new MemoryRows();
    const store = storeOn(rows, storeId);
    await store.initialise();
    const key = Buffer.from(await store.kek(1));
    expect(Buffer.from(rows.keks[0]!.material!).includes(key)).toBe(false);
    await store.rotate();
    await store.destroy(1);
    expect(rows.keks[0]).not.toHaveProperty('material');
  });

  it('refuses ciphertexts of another version, another store, or none', async () => {
    const rows = new MemoryRows();
    const store = storeOn(rows, storeId);
    await store.initialise();
    await store.rotate();
    const [first, second] = rows.keks;
    rows.keks = [{ ...first!, material: second!.material! }, second!];
    await expect(storeOn(rows, storeId).kek(1)).rejects.toEqual(denied('KEK_WRONG'));
    await expect(storeOn(rows, newStoreId(systemRandomness)).kek(2)).rejects.toEqual(denied('KEK_WRONG'));
    rows.keks = [{ ...first!, material: systemRandomness.bytes(100) }, second!];
    await expect(storeOn(rows, storeId).kek(1)).rejects.toEqual(denied('KEK_WRONG'));
  });

  it('asks KMS once per process, and again after a failure', async () => {
    const rows = new MemoryRows();
    const store = storeOn(rows, storeId);
    await store.initialise();
    let calls = 0;
    client.middlewareStack.add(
      (next) => (args) => {
        calls++;
        return next(args);
      },
      { name: 'count', step: 'initialize' },
    );
    try {
      const good = rows.keks;
      rows.keks = [{ ...good[0]!, material: systemRandomness.bytes(100) }];
      await expect(store.kek(1)).rejects.toEqual(denied('KEK_WRONG'));
      rows.keks = good;
      await Promise.all([store.kek(1), store.kek(1), store.kek(1)]);
      expect(calls).toBe(2);
    } finally {
      client.middlewareStack.remove('count');
    }
  });

  it('is denied when the KMS key is disabled or not there', async () => {
    const key = await newKey();
    const rows = new MemoryRows();
    const store = storeOn(rows, storeId, key);
    await store.initialise();
    await client.send(new DisableKeyCommand({ KeyId: key }));
    await expect(store.kek(1)).rejects.toEqual(denied('KEK_DENIED'));
    await expect(store.rotate()).rejects.toEqual(denied('KEK_DENIED'));
    expect(rows.keks).toHaveLength(1);
    await forget(key);
    const absent = storeOn(new MemoryRows(), storeId, '00000000-0000-4000-8000-000000000000');
    await expect(absent.initialise()).rejects.toEqual(denied('KEK_DENIED'));
  });

  it('is busy when KMS cannot be reached', async () => {
    const unreachable = new KMSClient({ endpoint: 'http://127.0.0.1:9', maxAttempts: 1 });
    const options = { keyId, storeId, rows: new MemoryRows(), clock: systemClock };
    const error = await new KmsKekStore({ client: unreachable, ...options }).initialise().catch((thrown) => thrown);
    expect(error).toMatchObject({ kind: 'retry', code: 'KEK_BUSY' });
    unreachable.destroy();
  });
});
