// What a stage may be asked to be, as strings of the command line or as values of cdk.json, and what is refused.
import { describe, expect, it } from 'vitest';
import { parseStageSettings } from '../../lib/infra/stage-settings.ts';

describe('parseStageSettings', () => {
  it('defaults to a durable personal stage named dev with a spare drive', () => {
    const stage = parseStageSettings({});
    expect(stage).toMatchObject({ stage: 'dev', ephemeral: false, drives: 10, functionMetrics: false });
    expect(stage.store).toMatchObject({ preset: 'personal', warmCodec: 'rs-6-3' });
  });

  it('takes strings as the command line gives them', () => {
    const context = { stage: 'ci', preset: 'demo', drives: '20', ephemeral: 'true', settings: '{"openVolumes":2}' };
    const stage = parseStageSettings(context);
    expect(stage).toMatchObject({ stage: 'ci', ephemeral: true, drives: 20 });
    expect(stage.store.openVolumes).toBe(2);
  });

  it('sizes the drives by the codecs', () => {
    expect(parseStageSettings({ preset: 'demo' }).drives).toBe(17);
    expect(parseStageSettings({ preset: 'thrifty' }).drives).toBe(2);
  });

  it.each([
    [{ stage: 'Dev' }, 'STAGE_INVALID', /stage: stage: /],
    // Stacks of stage `dev` are called so.
    [{ stage: 'dev-data' }, 'STAGE_INVALID', /stage: stage: /],
    [{ stage: 'dev-c0' }, 'STAGE_INVALID', /stage: stage: /],
    [{ settings: { cell: 'data' } }, 'STAGE_INVALID', /no cell may be called data/],
    [{ preset: 'huge' }, 'STAGE_INVALID', /preset/],
    [{ warmClass: 'deep-archive' }, 'STAGE_INVALID', /warmClass/],
    [{ preset: 'thrifty', warmClass: 'standard-ia' }, 'STAGE_INVALID', /no hot tier/],
    [{ drives: '8' }, 'STAGE_INVALID', /at least 9 drives, not 8/],
    [{ drives: '49' }, 'STAGE_INVALID', /drives/],
    [{ workerTimeoutSeconds: '901' }, 'STAGE_INVALID', /workerTimeoutSeconds/],
    [{ alarmEmail: 'nobody' }, 'STAGE_INVALID', /alarmEmail/],
    [{ ephemeral: 'yes' }, 'STAGE_INVALID', /ephemeral/],
    [{ logRetentionDays: '2' }, 'STAGE_INVALID', /logRetentionDays/],
    [{ settings: '{"openVolumes":' }, 'STAGE_INVALID', /settings: must be a JSON object/],
    [{ settings: '{"openVolums":2}' }, 'SETTINGS_INVALID', /openVolums/],
    [{ settings: { blockBytesMax: 4_194_305 } }, 'SETTINGS_INVALID', /blockBytesMax/],
    [{ unknown: 1 }, 'STAGE_INVALID', /unknown/i],
  ])('refuses %j', (context, code, message) => {
    expect(() => parseStageSettings(context)).toThrow(expect.objectContaining({ kind: 'invalid', code }));
    expect(() => parseStageSettings(context)).toThrow(message);
  });
});
