// The store of a deployed stage: S3 buckets as drives, DynamoDB as Panda, KMS for the keys. What the stack was told is
// in the environment or the stack's outputs; what the store is, is in its row, written by whoever is first.
import { KMSClient } from '@aws-sdk/client-kms';
import { knownLanes } from '../../compaction/run/known-lanes.ts';
import type { StorageClass } from '../../cost/price-book.ts';
import type { Drive } from '../../drive/drive.ts';
import { newS3Client, S3Drive } from '../../drive/s3-drive.ts';
import type { Clock } from '../../foundation/clock.ts';
import { invalid, isKind, isPocketfulError } from '../../foundation/errors.ts';
import { hexOf, newStoreId, type StoreId } from '../../foundation/ids.ts';
import { type Randomness, systemRandomness } from '../../foundation/randomness.ts';
import type { KekStore } from '../../keys/keys.ts';
import { KmsKekStore } from '../../keys/kms-kek-store.ts';
import { KMS_WITHIN } from '../../limits/aws.ts';
import { DynamoPanda, newDynamoClient } from '../../panda/dynamo-panda.ts';
import type { Panda, Write } from '../../panda/panda.ts';
import { driveAttributes, driveKey } from '../../panda/rows/drives/drive-row.ts';
import {
  type StoreRow,
  setDrives,
  storeAttributes,
  storeFromRow,
  storeIs,
  storeKey,
} from '../../panda/rows/store-row.ts';
import { contradictionOf } from '../../settings/contradiction.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Components } from '../../volume/rows/components.ts';
import { raiseStoreFormat } from '../../volume/rows/store-format.ts';
import { transact } from '../../volume/rows/transact.ts';
import { VolumeStore } from '../../volume/volume-store.ts';
import { isOverdueOwner } from './invocation.ts';
import { PandaKekRows } from './panda-kek-rows.ts';
import type { DeployedStage } from './stage-environment.ts';

interface Ports {
  readonly panda: Panda;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

/** A stage's store without a process: what every process on it shares. */
export interface DeployedParts {
  readonly storeId: StoreId;
  readonly settings: Settings;
  readonly panda: Panda;
  readonly drives: readonly Drive[];
  readonly findDrives: () => Promise<void>;
  readonly keks: KekStore;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly warmClass?: StorageClass | undefined;
  readonly laneOf?: Components['laneOf'];
}

/** Throws `invalid` STAGE_CONTRADICTS if the store was made with other settings or drives. */
export async function openParts(stage: DeployedStage, clock: Clock): Promise<DeployedParts> {
  const randomness = systemRandomness;
  const panda = new DynamoPanda({ client: newDynamoClient(), table: stage.table, clock, randomness });
  const ports = { panda, clock, randomness };
  const { settings, storeId, drives } = await establish(stage, ports);
  const s3 = newS3Client();
  const keks = new KmsKekStore({
    client: new KMSClient({ requestHandler: KMS_WITHIN }),
    keyId: stage.key,
    storeId,
    rows: new PandaKekRows(ports),
    clock,
  });
  const open = (bucket: string): Drive => new S3Drive({ client: s3, bucket, account: stage.account });
  const { warmClass } = stage;
  return {
    storeId,
    settings,
    warmClass,
    laneOf: knownLanes(ports),
    ...ports,
    keks: madeAtFirstUse(keks),
    ...knownDrives(panda, drives.map(open), open),
  };
}

/** Version 1 is made by whoever first asks for versions. Who only moves ciphertext never does, and has no right to. */
function madeAtFirstUse(keks: KmsKekStore): KekStore {
  const versions = async (): ReturnType<KekStore['versions']> => {
    try {
      return await keks.versions();
    } catch (error) {
      if (!isPocketfulError(error) || error.code !== 'KEK_MISSING') throw error;
      await keks.initialise();
      return keks.versions();
    }
  };
  return {
    versions,
    kek: (version) => keks.kek(version),
    rotate: async () => {
      await versions();
      return keks.rotate();
    },
    destroy: (version) => keks.destroy(version),
  };
}

/** The drives of the store's row, and how to learn of those that a later deployment adds to it. */
export function knownDrives(
  panda: Panda,
  drives: Drive[],
  open: (bucket: string) => Drive,
): Pick<DeployedParts, 'drives' | 'findDrives'> {
  const findDrives = async (): Promise<void> => {
    const row = await panda.get(storeKey);
    if (row === undefined) return;
    for (const bucket of storeFromRow(row).drives.slice(drives.length)) drives.push(open(bucket));
  };
  return { drives, findDrives };
}

/** One process's (or one invocation's) view of the store, under its own name. */
export const storeOf = (parts: DeployedParts, owner: string): VolumeStore =>
  new VolumeStore({ ...parts, owner, isOwnerGone: (other) => isOverdueOwner(other, parts.clock) });

/** The name of a process of which nobody knows when it ends. */
export const newFunctionOwner = (randomness: Randomness): string => `function-${hexOf(randomness.bytes(8))}`;

/**
 * The store's row: made if this is the first call ever, widened if drives were added, refused if the stage contradicts
 * it.
 */
export async function establish(stage: DeployedStage, ports: Ports): Promise<StoreRow> {
  const { panda, clock, randomness } = ports;
  for (;;) {
    const found = await panda.get(storeKey);
    const known = found === undefined ? undefined : storeFromRow(found);
    const next = known === undefined ? newRow(stage, clock, randomness) : widened(known, stage);
    if (next === known) return known;
    const writes: Write[] =
      known === undefined
        ? [{ kind: 'put', ...storeKey, attributes: storeAttributes(next), if: ['absent'] }]
        : await widenWrites(known, next, ports);
    // Then read it again: another function may have been first.
    try {
      await transact(ports, writes, async () => false);
    } catch (error) {
      if (!isKind(error, 'conflict')) throw error;
    }
  }
}

/** Drives that a deployment has added: in the store's row, and with a row each, as directories that are added. */
async function widenWrites(known: StoreRow, next: StoreRow, ports: Ports): Promise<Write[]> {
  const { panda, clock } = ports;
  await raiseStoreFormat(ports);
  const sinceMs = Math.max(0, clock.nowMs());
  const writes: Write[] = [{ kind: 'update', ...storeKey, ...setDrives(next.drives), if: [storeIs(known.storeId)] }];
  for (let drive = known.drives.length; drive < next.drives.length; drive++) {
    if ((await panda.get(driveKey(drive))) !== undefined) continue;
    const attributes = driveAttributes({ state: 'active', change: 1, sinceMs, domain: undefined });
    writes.push({ kind: 'put', ...driveKey(drive), attributes, if: ['absent'] });
  }
  return writes;
}

const newRow = (stage: DeployedStage, clock: Clock, randomness: Randomness): StoreRow => ({
  storeId: newStoreId(randomness),
  settings: stage.settings,
  drives: stage.drives,
  createdAtMs: Math.max(0, clock.nowMs()),
});

function widened(known: StoreRow, stage: DeployedStage): StoreRow {
  const why = contradictionOf(
    { settings: known.settings, driveCount: known.drives.length },
    { settings: stage.settings, driveCount: stage.drives.length },
  );
  if (why !== undefined) throw contradiction(why);
  const moved = known.drives.findIndex((bucket, i) => stage.drives[i] !== bucket);
  if (moved >= 0) throw contradiction(`drive ${moved} is ${known.drives[moved]}, not ${stage.drives[moved]}`);
  return stage.drives.length === known.drives.length ? known : { ...known, drives: stage.drives };
}

const contradiction = (why: string): Error =>
  invalid('STAGE_CONTRADICTS', `the stage was deployed in contradiction to its store: ${why}; deploy it as it was`);
