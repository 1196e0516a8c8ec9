// The store of a deployed stage as a function opens it: S3 buckets as drives, DynamoDB as Panda, KMS for the keys. What the stack was told
// is in the environment; what the store is, is in its row, written by the first function that runs.
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { S3Drive } from '../drive/s3-drive.ts';
import { assert } from '../foundation/assert.ts';
import { type Clock, systemClock } from '../foundation/clock.ts';
import { invalid, isKind } from '../foundation/errors.ts';
import { hexOf, newStoreId } from '../foundation/ids.ts';
import { type Randomness, systemRandomness } from '../foundation/randomness.ts';
import { KmsKekStore } from '../keys/kms-kek-store.ts';
import { DynamoPanda, newDynamoClient } from '../panda/dynamo-panda.ts';
import type { Panda, Write } from '../panda/panda.ts';
import { type StoreRow, storeAttributes, storeFromRow, storeKey } from '../panda/rows/store-row.ts';
import { parseSettings, type Settings } from '../settings/settings.ts';
import { transact } from '../volume/transact.ts';
import { VolumeStore } from '../volume/volume-store.ts';
import { PandaKekRows } from './panda-kek-rows.ts';

const environmentSchema = z.object({
  POCKETFUL_STAGE: z.string().min(1),
  POCKETFUL_TABLE: z.string().min(1),
  POCKETFUL_DRIVES: z.string().min(1),
  POCKETFUL_KEY: z.string().min(1),
  POCKETFUL_SETTINGS: z.string().min(1),
});

export interface DeployedStage {
  readonly stage: string;
  readonly table: string;
  readonly drives: readonly string[];
  readonly key: string;
  readonly settings: Settings;
}

/** Throws an assertion naming the variable: the stack that made the function is wrong. */
export function stageOf(environment: Readonly<Record<string, string | undefined>>): DeployedStage {
  const parsed = environmentSchema.safeParse(environment);
  assert(parsed.success, `environment: ${parsed.error?.issues[0]?.path.join('.')} is missing`);
  const { data } = parsed;
  return {
    stage: data.POCKETFUL_STAGE,
    table: data.POCKETFUL_TABLE,
    drives: data.POCKETFUL_DRIVES.split(','),
    key: data.POCKETFUL_KEY,
    settings: parseSettings(JSON.parse(data.POCKETFUL_SETTINGS)),
  };
}

interface Ports {
  readonly panda: Panda;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

/** The store of a stage. Throws `invalid` STAGE_CONTRADICTS if it was made with other settings or drives. */
export async function openDeployed(stage: DeployedStage): Promise<VolumeStore> {
  const clock = systemClock;
  const randomness = systemRandomness;
  const panda = new DynamoPanda({ client: newDynamoClient(), table: stage.table, clock, randomness });
  const ports = { panda, clock, randomness };
  const { settings, storeId, drives } = await establish(stage, ports);
  const s3 = new S3Client({});
  const keks = new KmsKekStore({
    client: new KMSClient({}),
    keyId: stage.key,
    storeId,
    rows: new PandaKekRows(ports),
    clock,
  });
  await keks.initialise();
  return new VolumeStore({
    settings,
    storeId,
    ...ports,
    drives: drives.map((bucket) => new S3Drive({ client: s3, bucket })),
    keks,
    owner: `function-${hexOf(randomness.bytes(8))}`,
    // Whether another execution environment still runs cannot be known: its leases expire.
    isOwnerGone: () => false,
  });
}

/** The store's row: made if this is the first call ever, widened if drives were added, refused if the stage contradicts it. */
export async function establish(stage: DeployedStage, ports: Ports): Promise<StoreRow> {
  const { panda, clock, randomness } = ports;
  for (;;) {
    const found = await panda.get(storeKey);
    const known = found === undefined ? undefined : storeFromRow(found);
    const next = known === undefined ? newRow(stage, clock, randomness) : widened(known, stage);
    if (next === known) return known;
    const write: Write =
      known === undefined
        ? { kind: 'put', ...storeKey, attributes: storeAttributes(next), if: ['absent'] }
        : {
            kind: 'update',
            ...storeKey,
            set: { d: next.drives },
            if: [{ attribute: 'i', equals: known.storeId }],
          };
    // Then read it again: another function may have been first.
    try {
      await transact(ports, [write], async () => false);
    } catch (error) {
      if (!isKind(error, 'conflict')) throw error;
    }
  }
}

const newRow = (stage: DeployedStage, clock: Clock, randomness: Randomness): StoreRow => ({
  storeId: newStoreId(randomness),
  settings: stage.settings,
  drives: stage.drives,
  createdAtMs: Math.max(0, clock.nowMs()),
});

function widened(known: StoreRow, stage: DeployedStage): StoreRow {
  for (const name of Object.keys(known.settings) as (keyof Settings)[])
    if (known.settings[name] !== stage.settings[name])
      throw contradiction(`${name} is ${known.settings[name]} for good, not ${stage.settings[name]}`);
  for (const [i, bucket] of known.drives.entries())
    if (stage.drives[i] !== bucket) throw contradiction(`drive ${i} is ${bucket}, not ${stage.drives[i] ?? 'gone'}`);
  return stage.drives.length === known.drives.length ? known : { ...known, drives: stage.drives };
}

const contradiction = (why: string): Error =>
  invalid('STAGE_CONTRADICTS', `the stage was deployed in contradiction to its store: ${why}; deploy it as it was`);
