// store | keks: the ciphertexts of a deployed store's KEK versions, one attribute each, and when each was made. A
// destroyed version has no attribute; the last one is current.

import type { Clock } from '../../foundation/clock.ts';
import { conflict, isKind } from '../../foundation/errors.ts';
import type { Randomness } from '../../foundation/randomness.ts';
import type { KekRows, StoredKeks } from '../../keys/kms-kek-store.ts';
import type { Attributes, Clause, Key, Panda, Row } from '../../panda/panda.ts';
import { bytesIn, countIn, countsIn } from '../../panda/rows/row-reader.ts';
import { transact } from '../../volume/rows/transact.ts';

const KEKS: Key = { partition: 'store', sort: 'keks' };

interface Ports {
  readonly panda: Panda;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

const materialName = (version: number): string => `m${version}`;

function attributesOf(revision: number, keks: StoredKeks): Attributes {
  const materials = keks.flatMap(({ version, material }) =>
    material === undefined ? [] : [[materialName(version), material] as const],
  );
  return { v: revision, t: keks.map(({ createdAtMs }) => createdAtMs), ...Object.fromEntries(materials) };
}

function keksFrom(row: Row): StoredKeks {
  const times = countsIn(row, 't');
  return times.map((createdAtMs, i): StoredKeks[number] => {
    const version = i + 1;
    if (row.attributes[materialName(version)] === undefined) return { version, createdAtMs, state: 'destroyed' };
    const state = version === times.length ? 'current' : 'previous';
    return { version, createdAtMs, state, material: bytesIn(row, materialName(version)) };
  });
}

export class PandaKekRows implements KekRows {
  readonly #ports: Ports;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  async load(): Promise<{ readonly revision: number; readonly keks: StoredKeks }> {
    const row = await this.#ports.panda.get(KEKS);
    return row === undefined ? { revision: 0, keks: [] } : { revision: countIn(row, 'v'), keks: keksFrom(row) };
  }

  async save(expectedRevision: number, keks: StoredKeks): Promise<void> {
    const attributes = attributesOf(expectedRevision + 1, keks);
    const asRead: Clause = expectedRevision === 0 ? 'absent' : { attribute: 'v', equals: expectedRevision };
    // Another writer's change has the same revision, but hardly the same bytes.
    const took = async (): Promise<boolean> => {
      const now = await this.load();
      return JSON.stringify(attributesOf(now.revision, now.keks)) === JSON.stringify(attributes);
    };
    try {
      await transact(this.#ports, [{ kind: 'put', ...KEKS, attributes, if: [asRead] }], took);
    } catch (error) {
      if (!isKind(error, 'conflict')) throw error;
      throw conflict('KEKS_CHANGED', 'another process changed the key versions', error);
    }
  }
}
