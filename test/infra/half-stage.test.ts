// A first deployment of a durable stage that fails at any of its stacks: it can be done again, and it can be taken down, and neither leaves
// anything that nobody has used.
import { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  cellIn,
  makeWay,
  protectStage,
  stacksOf,
  type TakenDown,
  takeDown,
} from '../../lib/client/aws/stage-stacks.ts';
import { MemoryAccount } from './memory-account.ts';
import { type Resource, synthStage } from './synth.ts';

const STAGE = 'prod';
const DRIVES = 10;
type Templates = Parameters<MemoryAccount['cdkDeploy']>[0];

let first: Templates;
let later: Templates;
let account: MemoryAccount;
const ORDER = ['Pocketful-prod-data', 'Pocketful-prod-c0-data', 'Pocketful-prod-c0', 'Pocketful-prod'];
beforeAll(() => {
  const { zoneData, cellData, cell, zone } = synthStage({ stage: STAGE, protection: 'false' });
  first = new Map([zoneData, cellData, cell, zone].map((template, i) => [ORDER[i] as string, template]));
  const table = structuredClone(zoneData.toJSON());
  for (const { Type, Properties } of Object.values(table['Resources'] as Record<string, Resource>))
    if (Type === 'AWS::DynamoDB::Table') Properties['DeletionProtectionEnabled'] = true;
  later = new Map([...first, [ORDER[0] as string, Template.fromJSON(table)]]);
});
beforeEach(() => {
  account = new MemoryAccount();
});

/** As `pocketful deploy` does it. */
async function deploy(failing?: string): Promise<void> {
  const isWhole = (await account.find('Pocketful-prod')).some(
    ({ name, status }) => name === 'Pocketful-prod' && status === 'CREATE_COMPLETE',
  );
  if (!isWhole) await makeWay(account, STAGE);
  account.cdkDeploy(isWhole ? later : first, isWhole, failing);
  await protectStage(account, account, STAGE);
}

const destroy = (isWhole: boolean): Promise<TakenDown> =>
  takeDown(STAGE, {
    stacks: account,
    data: account,
    isWhole,
    deleteStacks: async () => account.cdkDestroy(ORDER),
  });

const kinds = (): string[] => account.data.map(({ kind }) => kind).sort();
/** A bucket for each drive, and one for parts on their way. */
const WHOLE = [...Array<string>(DRIVES + 1).fill('bucket'), 'key', 'table'];

describe.each(ORDER)('a first deployment that fails at %s', (failing) => {
  beforeEach(async () => {
    await expect(deploy(failing)).rejects.toThrow('ROLLBACK_COMPLETE');
  });

  it('is done again, once or more often, and is then whole, protected, and alone', async () => {
    await expect(deploy(failing)).rejects.toThrow('ROLLBACK_COMPLETE');
    await deploy();
    expect(kinds()).toEqual(WHOLE);
    expect(account.data.find(({ kind }) => kind === 'table')?.isProtected).toBe(true);
    for (const stack of await stacksOf(account, STAGE)) expect(stack).toMatchObject({ isProtected: true });
  });

  it('is taken down without a trace', async () => {
    expect(cellIn(await stacksOf(account, STAGE), STAGE)).toBe(failing === 'Pocketful-prod-data' ? undefined : 'c0');
    expect(await destroy(false)).toEqual({ isDataKept: false });
    expect(account.thingCount).toBe(0);
    expect(await stacksOf(account, STAGE)).toEqual([]);
  });
});

describe('a whole durable stage', () => {
  beforeEach(() => deploy());

  it('is protected, and deployed again it stays so', async () => {
    expect(() => account.deleteStack('Pocketful-prod')).toThrow('TerminationProtection');
    await deploy();
    for (const stack of await stacksOf(account, STAGE)) expect(stack.isProtected).toBe(true);
  });

  it('keeps its data when it is taken down, empty or not', async () => {
    expect(await destroy(true)).toEqual({ isDataKept: true });
    expect(kinds()).toEqual(WHOLE);
    expect(await stacksOf(account, STAGE)).toEqual([]);
  });

  it.each(['table', 'bucket'])('of which half was taken down keeps everything for what is in its %s', async (kind) => {
    account.write(account.data.find((one) => one.kind === kind)?.id as string);
    await account.protect('Pocketful-prod', false);
    account.deleteStack('Pocketful-prod');
    expect(await destroy(false)).toEqual({ isDataKept: true });
    expect(kinds().filter((one) => one !== 'bucket')).toEqual(['key', 'table']);
    expect(account.data.some((one) => one.kind === kind)).toBe(true);
  });
});

describe('what is left over', () => {
  it('of a deployment by an earlier release is unprotected, and CDK begins anew', async () => {
    await expect(deploy('Pocketful-prod-c0')).rejects.toThrow();
    for (const name of ORDER.slice(0, 3)) await account.protect(name, true);
    await deploy();
    expect(kinds()).toEqual(WHOLE);
  });

  it('is begun anew where only a change set was made', async () => {
    await expect(deploy('Pocketful-prod-data')).rejects.toThrow();
    account.setStatus('Pocketful-prod-data', 'REVIEW_IN_PROGRESS');
    await account.protect('Pocketful-prod-data', true);
    await deploy();
    expect(kinds()).toEqual(WHOLE);
  });

  it.each(['CREATE_IN_PROGRESS', 'ROLLBACK_IN_PROGRESS', 'CREATE_FAILED', 'ROLLBACK_FAILED', 'DELETE_FAILED'])(
    'in state %s is named before anything is touched',
    async (status) => {
      await expect(deploy('Pocketful-prod-c0')).rejects.toThrow();
      account.setStatus('Pocketful-prod-c0', status);
      await expect(deploy()).rejects.toMatchObject({ code: 'STAGE_INCOMPLETE', kind: 'invalid' });
      expect(kinds()).toEqual(WHOLE);
    },
  );

  it('of templates that keep what a failed creation made has to be destroyed first, and is', async () => {
    // As releases before deployed: protected from the first moment, tables included.
    expect(() => account.cdkDeploy(later, true, 'Pocketful-prod-data')).toThrow('ROLLBACK_FAILED');
    await expect(deploy()).rejects.toMatchObject({ code: 'STAGE_INCOMPLETE' });
    for (const { id, kind } of account.data) if (kind === 'table') await account.deleteTable(id);
    expect(await destroy(false)).toEqual({ isDataKept: false });
    expect(account.thingCount).toBe(0);
  });

  it('of no stage is none', async () => {
    await expect(destroy(false)).rejects.toMatchObject({ code: 'STAGE_MISSING' });
  });
});
