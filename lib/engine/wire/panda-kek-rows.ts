// The keys of a deployed store, kept in its row (keks-row.ts): a change is conditional on the revision that was read.
import type { Clock } from '../../foundation/clock.ts';
import { conflict, isKind } from '../../foundation/errors.ts';
import type { Randomness } from '../../foundation/randomness.ts';
import type { KekRows, StoredKeks } from '../../keys/kms-kek-store.ts';
import type { Panda } from '../../panda/panda.ts';
import { transact } from '../../volume/rows/transact.ts';
import { type KeksRow, keksAttributes, keksFromRow, keksKey, revisionIs } from './keks-row.ts';

interface Ports {
  readonly panda: Panda;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

export class PandaKekRows implements KekRows {
  readonly #ports: Ports;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  async load(): Promise<KeksRow> {
    const row = await this.#ports.panda.get(keksKey);
    return row === undefined ? { revision: 0, keks: [] } : keksFromRow(row);
  }

  async save(expectedRevision: number, keks: StoredKeks): Promise<void> {
    const attributes = keksAttributes({ revision: expectedRevision + 1, keks });
    // Another writer's change has the same revision, but hardly the same bytes.
    const took = async (): Promise<boolean> => {
      return JSON.stringify(keksAttributes(await this.load())) === JSON.stringify(attributes);
    };
    try {
      await transact(this.#ports, [{ kind: 'put', ...keksKey, attributes, if: [revisionIs(expectedRevision)] }], took);
    } catch (error) {
      if (!isKind(error, 'conflict')) throw error;
      throw conflict('KEKS_CHANGED', 'another process changed the key versions', error);
    }
  }
}
