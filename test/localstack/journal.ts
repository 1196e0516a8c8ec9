// The journal of a deployed stage: what the table's stream brought into the buckets makes a store on this machine, and a
// push of that finds everything on the stage already.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import type { StageOutputs } from '../../lib/client/aws/aws-stage.ts';
import { S3Shelf } from '../../lib/drive/s3-shelf.ts';
import type { JournalStatus } from '../../lib/engine/ship/journal-status.ts';
import type { VerifyReport } from '../../lib/engine/upkeep/verify.ts';
import { systemClock } from '../../lib/foundation/clock.ts';
import { keyItem, rowOf } from '../../lib/panda/dynamo-items.ts';
import { cursorKey, shippingFromRow } from '../../lib/panda/rows/journal-rows.ts';
import { pocketful } from './cli.ts';
import type { RealFile } from './real-files.ts';

/** Longer than a batch is waited for: then nothing is on its way. */
const QUIET_MS = 45_000;
const WAIT_MS_MAX = 300_000;

/** Of the last shipping, once there was none for a while. */
async function settled(table: string): Promise<number> {
  const client = new DynamoDBClient({});
  let [sequence, sinceMs] = [0, systemClock.nowMs()];
  const untilMs = sinceMs + WAIT_MS_MAX;
  try {
    while (systemClock.nowMs() < untilMs) {
      const { Item } = await client.send(
        new GetItemCommand({ TableName: table, Key: keyItem(cursorKey), ConsistentRead: true }),
      );
      const now = Item === undefined ? 0 : (shippingFromRow(rowOf(Item)).cursor?.sequence ?? 0);
      if (now !== sequence) [sequence, sinceMs] = [now, systemClock.nowMs()];
      if (sequence > 0 && systemClock.nowMs() - sinceMs >= QUIET_MS) return sequence;
      await systemClock.sleep(1000);
    }
  } finally {
    client.destroy();
  }
  throw new Error(`the journal of the stage does not settle: at ${sequence}`);
}

async function answered<T>(command: string, address: string): Promise<T> {
  const run = await pocketful(...command.split(' '), '--store', address, '--json');
  expect(run, run.stderr).toMatchObject({ code: 0 });
  return JSON.parse(run.stdout.toString() || '{}') as T;
}

/** Names of the key versions beside the segments. */
async function keysIn(buckets: readonly string[]): Promise<Set<string>> {
  const client = new S3Client({});
  try {
    const listed = await Promise.all(buckets.map((bucket) => new S3Shelf({ client, bucket }).list()));
    return new Set(listed.flat().flatMap(({ name }) => (name.startsWith('keys-') ? [name] : [])));
  } finally {
    client.destroy();
  }
}

export function journalTests(address: string, folder: string, files: readonly RealFile[], outputs: () => StageOutputs) {
  it('ships its table into the buckets, and a machine makes a store of them', { timeout: 600_000 }, async () => {
    expect(await settled(outputs().table)).toBeGreaterThan(0);
    const dir = join(folder, 'restored');
    const restored = await pocketful('restore', `file:${dir}`, '--from', address, '--json');
    expect(restored, restored.stderr).toMatchObject({ code: 0 });
    const { copied, damagedSegments, rebuild } = JSON.parse(restored.stdout.toString());
    expect(copied.objects).toBeGreaterThan(10);
    expect({ damagedSegments, lost: rebuild.lostObjects }).toEqual({ damagedSegments: 0, lost: 0 });
    const out = join(folder, 'restored-files');
    const got = await pocketful('get', '', '--to', out, '--store', `file:${dir}`, '--json');
    expect(got, got.stderr).toMatchObject({ code: 0 });
    for (const { key, bytes } of files) expect(Buffer.compare(readFileSync(join(out, key)), bytes), key).toBe(0);
  });

  it('is in status, and each copy of it verified', { timeout: 300_000 }, async () => {
    const { journal } = await answered<{ journal: JournalStatus }>('status', address);
    expect(journal).toMatchObject({ waiting: { commits: null }, copies: expect.any(Number), silent: [] });
    expect(journal.shipped?.sequence).toBeGreaterThan(0);
    expect(journal.way).toBeGreaterThan(0);
    expect(journal.points).toBeGreaterThan(0);
    const report = await answered<VerifyReport>('verify journal --all', address);
    expect(report).toMatchObject({ level: 'healthy', findings: [], done: true });
    // Each object of each segment on that many buckets, and the key versions on each.
    expect(report.journal?.objects).toBeGreaterThan(journal.way * journal.copies);
    expect(report.journal).toMatchObject({ damaged: 0, lostSegments: 0, unread: 0 });
  });

  it('a key version that is destroyed is in no bucket, and a machine makes a store of what is under the next', {
    timeout: 600_000,
  }, async () => {
    const { drives, table } = outputs();
    const buckets = drives.split(',');
    const before = await keysIn(buckets);
    await answered('keys rotate', address);
    await answered('keys destroy 1 --yes', address);
    await settled(table);
    const now = await keysIn(buckets);
    expect(now.size).toBe(1);
    expect([...now][0]).not.toBe([...before][0]);
    const dir = join(folder, 'restored-again');
    const restored = await pocketful('restore', `file:${dir}`, '--from', address, '--json');
    expect(restored, restored.stderr).toMatchObject({ code: 0 });
    const { keys } = JSON.parse(readFileSync(join(dir, 'keys.json'), 'utf8'));
    expect(keys).toMatchObject([{ state: 'destroyed' }, { state: 'current' }]);
  });

  it('has all of it, says a push', { timeout: 300_000 }, async () => {
    const pushed = await pocketful('push', `file:${join(folder, 'restored')}`, address, '--json');
    expect(pushed, pushed.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(pushed.stdout.toString()).namespaces).toMatchObject([
      { namespace: 'default', objects: files.length, same: files.length, pushed: 0, failed: [] },
    ]);
  });
}
