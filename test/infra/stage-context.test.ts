// What a deployment keeps of the one before: everything that was not asked for anew, in whatever way it was asked for then.
import { describe, expect, it } from 'vitest';
import { contextAfter, contextOf, type DeployedContext, optionsOf } from '../../lib/infra/stage-context.ts';
import { parseStageSettings, STAGE_CONTEXT_KEYS } from '../../lib/infra/stage-settings.ts';
import { LIVE_CODERS_MAX } from '../../lib/limits/stage.ts';
import { sharesOf } from '../../lib/settings/execution-shares.ts';
import { OPTIONS_OUTPUT } from '../../lib/settings/stage-names.ts';
import { resourcesIn, synthStage } from './synth.ts';

/** Every context key with a value that is not its default. */
const ASKED: Readonly<Record<string, unknown>> = {
  stage: 'prod',
  preset: 'thrifty',
  settings: '{"openVolumes":4,"hotCodec":"replica-4"}',
  drives: 5,
  ephemeral: false,
  protection: true,
  warmClass: 'standard-ia',
  functionMemoryMiB: 2048,
  functionTimeoutSeconds: 90,
  workerMemoryMiB: 3538,
  workerTimeoutSeconds: 600,
  budgets: '{"metadataWrites":100000}',
  repairBytesPerDay: 1e9,
  journal: false,
  concurrency: 10,
  schedules: false,
  alarmEmail: 'somebody@example.com',
  logRetentionDays: 30,
  budgetUsd: 25,
  events: true,
  tracing: true,
  functionMetrics: true,
};

const deployedAs = (asked: Readonly<Record<string, unknown>>): DeployedContext => {
  const stage = parseStageSettings(asked);
  return { settings: stage.store, drives: stage.drives, isEphemeral: stage.ephemeral, options: optionsOf(stage) };
};

describe('the next deployment', () => {
  it('keeps all that is not asked for', () => {
    for (const key of STAGE_CONTEXT_KEYS) expect(Object.keys(ASKED), key).toContain(key);
    const before = parseStageSettings(ASKED);
    const after = parseStageSettings(contextAfter(deployedAs(ASKED), { stage: 'prod' }));
    expect({ ...after, preset: undefined }).toEqual({ ...before, preset: undefined });
  });

  it('changes what is asked for and nothing else, and takes away what is asked for as nothing', () => {
    const asked = { stage: 'prod', workerMemoryMiB: '1769', budgetUsd: '', alarmEmail: '', drives: 6 };
    const after = parseStageSettings(contextAfter(deployedAs(ASKED), asked));
    const { alarmEmail: _, budgetUsd: __, ...kept } = parseStageSettings(ASKED);
    expect(after).toEqual({ ...kept, workerMemoryMiB: 1769, drives: 6 });
  });

  it('of a stage that an earlier release deployed keeps what that said, and of a later one what is known here', () => {
    const { options: _, ...earlier } = deployedAs({ ...ASKED, stage: 'prod' });
    const after = parseStageSettings(contextAfter({ ...earlier, options: {} }, { stage: 'prod' }));
    expect(after).toMatchObject({ drives: 5, workerMemoryMiB: 1769, store: { openVolumes: 4 } });
    const later = { ...earlier, options: { workerMemoryMiB: '2000', somethingNew: 'yes' } };
    expect(parseStageSettings(contextAfter(later, { stage: 'prod' })).workerMemoryMiB).toBe(2000);
  });

  it('gives the CDK a context that means the same', () => {
    const stage = parseStageSettings(ASKED);
    expect(parseStageSettings(contextOf(stage))).toEqual(stage);
    expect(Object.values(contextOf(parseStageSettings({})))).not.toContain('undefined');
  });

  it('finds it in the output of the stack', () => {
    const { zone } = synthStage({ stage: 'prod', alarmEmail: 'somebody@example.com', workerMemoryMiB: 3538 });
    const { Value: value } = zone.findOutputs(OPTIONS_OUTPUT)[OPTIONS_OUTPUT] as { Value: string };
    expect(JSON.parse(value)).toMatchObject({ alarmEmail: 'somebody@example.com', workerMemoryMiB: '3538' });
    expect(value.length).toBeLessThan(1024);
  });
});

describe('an account of ten functions', () => {
  it('leaves half of them to requests, and a large one has all workers there may be', () => {
    const all = ({ compactors, encoders }: ReturnType<typeof sharesOf>): number =>
      compactors + encoders + LIVE_CODERS_MAX;
    expect(sharesOf()).toEqual({ compactors: 2, encoders: 1 });
    expect(all(sharesOf(10))).toBeLessThanOrEqual(5);
    expect(sharesOf(3)).toEqual({ compactors: 1, encoders: 1 });
    expect(sharesOf(1000)).toEqual({ compactors: 4, encoders: 3 });
  });

  it('is told to the functions', () => {
    const variables = (context: Readonly<Record<string, unknown>>): unknown[] =>
      resourcesIn([synthStage(context).cell], 'AWS::Lambda::Function').map(
        ({ Properties }) => (Properties['Environment'] as { Variables: object }).Variables,
      );
    for (const of of variables({ stage: 'prod', concurrency: '1000', warmClass: 'glacier-ir' }))
      expect(of).toMatchObject({ POCKETFUL_EXECUTIONS: '1000', POCKETFUL_WARM_CLASS: 'glacier-ir' });
    for (const of of variables({ stage: 'prod' })) {
      expect(of).not.toHaveProperty('POCKETFUL_EXECUTIONS');
      expect(of).not.toHaveProperty('POCKETFUL_WARM_CLASS');
    }
  });
});
