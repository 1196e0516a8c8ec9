// What CloudFormation is told when it asks whether a stage may be changed: the guard on a real store row in a real Panda.
import { beforeEach, describe, expect, it } from 'vitest';
import { type GuardAnswer, guard } from '../../functions/settings-guard/guard.ts';
import { denied } from '../../lib/foundation/errors.ts';
import { newStoreId } from '../../lib/foundation/ids.ts';
import { systemRandomness } from '../../lib/foundation/randomness.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Panda } from '../../lib/panda/panda.ts';
import { driveAttributes, driveKey } from '../../lib/panda/rows/drives/drive-row.ts';
import { storeAttributes, storeKey } from '../../lib/panda/rows/store-row.ts';
import { type Settings, settingsOf } from '../../lib/settings/settings.ts';

const URL = 'https://cloudformation.example/answer';
let panda: MemoryPanda;
let sent: { url: string; answer: GuardAnswer }[];
let waitedMs: number;
let deniedTimes: number;

beforeEach(() => {
  panda = new MemoryPanda();
  sent = [];
  waitedMs = 0;
  deniedTimes = 0;
});

async function makeStore(settings: Settings, driveCount: number): Promise<void> {
  const row = {
    storeId: newStoreId(systemRandomness),
    settings,
    drives: Array.from({ length: driveCount }, (_, i) => `bucket-${i}`),
    createdAtMs: 1,
  };
  await panda.transact([{ kind: 'put', ...storeKey, attributes: storeAttributes(row), if: ['absent'] }]);
}

/** The Panda, to a role that is not known everywhere yet. */
const shy = (): Panda =>
  new Proxy(panda, {
    get(target, name) {
      if (name === 'get' && deniedTimes-- > 0) throw denied('PANDA_DENIED', 'no permission for dynamodb:GetItem');
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

async function ask(type: 'Create' | 'Update' | 'Delete', settings: unknown, drives: number): Promise<GuardAnswer> {
  const respond = async (url: string, answer: GuardAnswer): Promise<void> => {
    sent.push({ url, answer });
  };
  const wait = async (ms: number): Promise<void> => {
    waitedMs += ms;
  };
  const answer = await guard(
    { panda: shy(), respond, wait },
    {
      RequestType: type,
      ResponseURL: URL,
      StackId: 'stack',
      RequestId: 'request',
      LogicalResourceId: 'Check',
      ...(type === 'Create' ? {} : { PhysicalResourceId: 'settings' }),
      ResourceProperties: { ServiceToken: 'arn', settings: JSON.stringify(settings), drives: String(drives) },
    },
  );
  expect(sent).toEqual([{ url: URL, answer }]);
  return answer;
}

describe('the settings guard', () => {
  it('lets a new stage be anything', async () => {
    expect(await ask('Create', settingsOf('personal'), 10)).toEqual({
      Status: 'SUCCESS',
      Reason: expect.any(String),
      PhysicalResourceId: 'settings',
      StackId: 'stack',
      RequestId: 'request',
      LogicalResourceId: 'Check',
    });
  });

  it('lets a store keep its settings and get more drives', async () => {
    await makeStore(settingsOf('personal'), 10);
    expect(await ask('Update', settingsOf('personal'), 11)).toMatchObject({ Status: 'SUCCESS' });
  });

  it('refuses other settings, by name', async () => {
    await makeStore(settingsOf('personal'), 10);
    expect(await ask('Update', settingsOf('personal', { trashGraceMs: 0 }), 10)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringMatching(/trashGraceMs is 86400000 for good, not 0.*STAGE_CONTRADICTS/),
    });
  });

  it('refuses fewer drives', async () => {
    await makeStore(settingsOf('personal'), 12);
    expect(await ask('Update', settingsOf('personal'), 11)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringMatching(/it has 12 drives and cannot do with 11.*drive 11 \(bucket-11\) is active/),
    });
    const attributes = driveAttributes({ state: 'retired', change: 1, sinceMs: 1, domain: undefined });
    await panda.transact([{ kind: 'put', ...driveKey(11), attributes, if: ['absent'] }]);
    sent = [];
    expect((await ask('Update', settingsOf('personal'), 10)).Reason).toMatch(
      /drive 10 \(bucket-10\) is active, drive 11 \(bucket-11\) is retired/,
    );
  });

  it('refuses what it cannot check', async () => {
    await makeStore(settingsOf('personal'), 10);
    expect(await ask('Update', 'nonsense', 10)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringMatching(/could not be checked.*SETTINGS_INVALID/),
    });
  });

  it('waits for its own rights to get about, and refuses without them', async () => {
    deniedTimes = 3;
    expect(await ask('Create', settingsOf('personal'), 10)).toMatchObject({ Status: 'SUCCESS' });
    expect(waitedMs).toBe(12_000);
    sent = [];
    waitedMs = 0;
    deniedTimes = Number.POSITIVE_INFINITY;
    expect(await ask('Create', settingsOf('personal'), 10)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('PANDA_DENIED'),
    });
    expect(waitedMs).toBeLessThan(30_000);
  });

  it('never stands in the way of a removal', async () => {
    await makeStore(settingsOf('personal'), 10);
    expect(await ask('Delete', settingsOf('thrifty'), 2)).toMatchObject({ Status: 'SUCCESS' });
  });
});
