// Objects longer than a gathering, or of which nobody says how long they are, among puts of much at once to a stage.
import { expect, it } from 'vitest';
import type { PutRequest } from '../../lib/client/face.ts';
import { conflict } from '../../lib/foundation/errors.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { allOk, bodyOf, codesOf, files, hotVolumes, item, KIB, outcomesOf, read, stageOf } from './bulk-stage.ts';

const LONG = 5 * KIB * KIB + 77;
const LARGE_BLOCKS = settingsOf('demo', {
  ...{ preset: 'custom', blockBytesMax: 16 * KIB, bucketBytes: 256 * KIB, slotsPerBucketMax: 256 },
  ...{ extentBytes: 4 * KIB * KIB, groupBytesMin: 768 * KIB, openVolumes: 2 },
});
/** A gathering takes 2 MiB, so that long objects need not be longer. */
const longStage = (takesMore: boolean | undefined) =>
  stageOf(
    ({ op }) =>
      op === 'bulkBegin' ? { gatherBytesMax: 2 * KIB * KIB, partBytesMax: 4 * KIB * KIB, takesMore } : undefined,
    LARGE_BLOCKS,
  );
const longItem = (more: Partial<PutRequest> = {}): PutRequest => item('long', bodyOf(LONG, 77), more);

it.each([
  ['of which nobody says how long it is', undefined, 3],
  ['longer than a gathering', LONG, 3],
])('codes an object %s, in several calls, and shows it when it is whole', async (_, sizeBytes, calls) => {
  const stage = longStage(true);
  const outcomes = await outcomesOf(stage.client.putAll([longItem({ sizeBytes, metadata: 'm' })]));
  expect(outcomes.get('long')).toMatchObject({ ok: true, sizeBytes: LONG });
  expect(stage.requests.filter(({ op }) => op === 'bulkExtend')).toHaveLength(calls);
  expect(await hotVolumes(stage)).toBe(0);
  expect(stage.staging.objects.size).toBe(0);
  expect(Buffer.compare(await read(stage.client, 'long'), bodyOf(LONG, 77))).toBe(0);
  expect((await stage.client.head('long')).metadata).toBe('m');
});

it('gives a long object up that is not what it was', async () => {
  const stage = longStage(true);
  const verify = () => Promise.reject(conflict('FILE_CHANGED', 'no'));
  const outcomes = await outcomesOf(stage.client.putAll([longItem({ verify })]));
  expect(outcomes.get('long')).toMatchObject({ ok: false, error: { code: 'FILE_CHANGED' } });
  expect(stage.opsOf().at(-1)).toBe('uploadAbort');
  await expect(read(stage.client, 'long')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
});

it('holds to conditions, gathered or long', async () => {
  const stage = longStage(true);
  const ifVersion = 'absent';
  const wanted = files(20).map((one) => ({ ...one, ifVersion }));
  const long = longItem({ ifVersion });
  expect(allOk(await outcomesOf(stage.client.putAll([...wanted, long])))).toBe(true);
  const again = await outcomesOf(stage.client.putAll([...files(20, 3999).map((one) => ({ ...one, ifVersion })), long]));
  expect(codesOf(again)).toEqual(['VERSION_MISMATCH']);
});

it('asks a stage whose gatherings know neither conditions nor long objects for neither', async () => {
  const stage = longStage(undefined);
  const held = item('held', bodyOf(700, 81), { ifVersion: 'absent' });
  const outcomes = await outcomesOf(stage.client.putAll([...files(30), held, longItem()]));
  expect([outcomes.size, allOk(outcomes)]).toEqual([32, true]);
  expect(new Set(stage.opsOf())).toEqual(
    new Set(['bulkBegin', 'bulkPart', 'bulkGather', 'put', 'uploadBegin', 'uploadPart', 'uploadFinish']),
  );
  expect(Buffer.compare(await read(stage.client, 'long'), bodyOf(LONG, 77))).toBe(0);
});
