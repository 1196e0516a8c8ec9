// The stacks of a stage before and after it is whole: a first deployment that fails can be done again, and what there
// is of a half stage can be taken down. Only a whole durable stage is protected: CloudFormation takes back what a
// failed creation made, which protection of a stack or of its table forbids.
import { invalid, missing } from '../../foundation/errors.ts';
import { stackNameOf } from '../../settings/stage-names.ts';

export interface StackFound {
  readonly name: string;
  /** As CloudFormation calls it. */
  readonly status: string;
  readonly isProtected: boolean;
}

/** What holds data, or makes data readable. */
export interface DataResource {
  readonly kind: 'bucket' | 'table' | 'key';
  readonly id: string;
}

/** CloudFormation, as far as a stage's stacks are looked at and protected. */
export interface StageStacks {
  /** Those whose names begin so. */
  find(prefix: string): Promise<readonly StackFound[]>;
  protect(stack: string, isProtected: boolean): Promise<void>;
  /** What there still is of it: what CloudFormation passed over when it took the stack back, too. */
  dataOf(stack: string): Promise<readonly DataResource[]>;
}

/** What stays when its stack is gone. */
export interface StageData {
  protectTable(table: string): Promise<void>;
  /** Of one that is not there: true. */
  isTableEmpty(table: string): Promise<boolean>;
  /** Also a protected one, and one that is not there. */
  deleteTable(table: string): Promise<void>;
  /** False: it holds something. */
  deleteBucket(bucket: string): Promise<boolean>;
  /** After a wait of thirty days, in which it may be called back. */
  deleteKey(key: string): Promise<void>;
}

/** CDK begins anew with these: nothing of them is in use. */
const BEGUN: readonly string[] = ['REVIEW_IN_PROGRESS', 'ROLLBACK_COMPLETE'];
/** CloudFormation only deletes these. */
const STUCK: readonly string[] = ['CREATE_FAILED', 'ROLLBACK_FAILED', 'DELETE_FAILED'];

/** Stages have no dashes in their names, so no other stage's stacks are among them. */
export async function stacksOf(stacks: StageStacks, stage: string): Promise<readonly StackFound[]> {
  const name = stackNameOf(stage);
  return (await stacks.find(name)).filter((one) => one.name === name || one.name.startsWith(`${name}-`));
}

/** Undefined: nothing of a cell was made yet. */
export function cellIn(found: readonly StackFound[], stage: string): string | undefined {
  const parts = found.map(({ name }) => name.slice(stackNameOf(stage).length + 1).split('-'));
  return parts.map(([first]) => first).find((first) => first !== '' && first !== 'data');
}

/**
 * Before a stage that is not whole is deployed. Throws `invalid` STAGE_INCOMPLETE if that cannot be done before what
 * there is of it has gone.
 */
export async function makeWay(stacks: StageStacks, stage: string): Promise<void> {
  for (const { name, status, isProtected } of await stacksOf(stacks, stage)) {
    if (status.endsWith('_IN_PROGRESS') && !BEGUN.includes(status))
      throw invalid('STAGE_INCOMPLETE', `stack ${name} is being changed (${status}): wait until that has ended`);
    const isKept = BEGUN.includes(status) && (await stacks.dataOf(name)).length > 0;
    if (isKept || STUCK.includes(status))
      throw invalid('STAGE_INCOMPLETE', `stack ${name} is left over (${status}): run destroy ${stage} first`);
    if (isProtected) await stacks.protect(name, false);
  }
}

/** Once a durable stage is whole. */
export async function protectStage(stacks: StageStacks, data: StageData, stage: string): Promise<void> {
  for (const { name, isProtected } of await stacksOf(stacks, stage)) {
    if (!isProtected) await stacks.protect(name, true);
    for (const { kind, id } of await stacks.dataOf(name)) if (kind === 'table') await data.protectTable(id);
  }
}

export interface TakenDown {
  /** Nothing of a whole durable stage goes but what works on it; of a half one goes what is empty. */
  readonly isDataKept: boolean;
}

export interface TakeDown {
  readonly stacks: StageStacks;
  readonly data: StageData;
  /** It has its frontend, and may have data. */
  readonly isWhole: boolean;
  /** Deletes the stacks that there are, the ones that use others first. */
  readonly deleteStacks: () => Promise<void>;
}

/** Throws `missing` STAGE_MISSING if there is no stack of it. */
export async function takeDown(stage: string, { stacks, data, isWhole, deleteStacks }: TakeDown): Promise<TakenDown> {
  const found = await stacksOf(stacks, stage);
  if (found.length === 0) throw missing('STAGE_MISSING', `there is no stage ${stage} in this account and region`);
  const held = isWhole ? [] : (await Promise.all(found.map(({ name }) => stacks.dataOf(name)))).flat();
  for (const { name, isProtected } of found) if (isProtected) await stacks.protect(name, false);
  await deleteStacks();
  return { isDataKept: isWhole || !(await deleteEmpty(data, held)) };
}

/** A row in the table means that there was a store: then everything stays. False: something holds data. */
async function deleteEmpty(data: StageData, held: readonly DataResource[]): Promise<boolean> {
  const idsOf = (kind: DataResource['kind']) => held.filter((one) => one.kind === kind).map(({ id }) => id);
  for (const table of idsOf('table')) if (!(await data.isTableEmpty(table))) return false;
  let isEmpty = true;
  for (const bucket of idsOf('bucket')) isEmpty = (await data.deleteBucket(bucket)) && isEmpty;
  if (!isEmpty) return false;
  for (const table of idsOf('table')) await data.deleteTable(table);
  for (const key of idsOf('key')) await data.deleteKey(key);
  return true;
}
