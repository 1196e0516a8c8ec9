// Puts of much at once to a stage: the client against the real frontend function.
import { expect, it } from 'vitest';
import { conflict } from '../../lib/foundation/errors.ts';
import { allOk, bodyOf, codesOf, files, hotVolumes, item, outcomesOf, read, stageOf } from './bulk-stage.ts';

it('stages what is much, what waited first, and writes nothing hot', async () => {
  const stage = stageOf();
  const outcomes = await outcomesOf(stage.client.putAll(files(30)));
  expect([outcomes.size, allOk(outcomes)]).toEqual([30, true]);
  expect(outcomes.get('f7')).toMatchObject({ sizeBytes: 4000, newBytes: expect.any(Number) });
  expect(stage.opsOf()).toEqual(['bulkBegin', 'bulkPart', 'bulkGather']);
  expect(await hotVolumes(stage)).toBe(0);
  expect(stage.staging.objects.size).toBe(0);
  for (const i of [0, 15, 29]) expect(await read(stage.client, `f${i}`)).toEqual(bodyOf(4000, i));
});

it('sends what is little as ever, without asking', async () => {
  const stage = stageOf();
  expect(allOk(await outcomesOf(stage.client.putAll(files(10))))).toBe(true);
  expect(stage.opsOf()).toEqual(['put']);
});

it('goes the old way where the stage is of an earlier release', async () => {
  const refused = { error: { kind: 'invalid', code: 'REQUEST_INVALID', message: 'request: op' } };
  const stage = stageOf(({ op }) => (op.startsWith('bulk') ? refused : undefined));
  expect(allOk(await outcomesOf(stage.client.putAll(files(30))))).toBe(true);
  expect(stage.opsOf()).toEqual(['bulkBegin', 'put', 'put']);
  expect(await read(stage.client, 'f29')).toEqual(bodyOf(4000, 29));
});

it('gathers again what was turned away, and names what was not stored', async () => {
  const wire = ({ kind, code, message }: ReturnType<typeof conflict>) => ({ error: { kind, code, message } });
  const stage = stageOf(({ op, objects = [] }, count) => {
    if (op !== 'bulkGather' || count > 2) return undefined;
    const busy = wire(conflict('CONTENDED', 'many writers'));
    if (count === 1) return { results: objects.map(() => busy) };
    return { results: objects.map((_, i) => (i === 3 ? wire(conflict('VERSION_MISMATCH', 'no')) : busy)) };
  });
  const outcomes = await outcomesOf(stage.client.putAll(files(30)));
  expect(outcomes.get('f3')).toMatchObject({ ok: false, error: { code: 'VERSION_MISMATCH' } });
  expect([...outcomes.values()].filter(({ ok }) => ok)).toHaveLength(29);
  expect(stage.requests.filter(({ op }) => op === 'bulkGather').map(({ objects }) => objects?.length)).toEqual([
    30, 30, 29,
  ]);
  await expect(read(stage.client, 'f3')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
});

it('puts the same name twice in the order given', async () => {
  const stage = stageOf();
  const twice = [...files(20), item('f2', bodyOf(500, 900)), ...files(20).slice(3), item('f2', bodyOf(600, 901))];
  let count = 0;
  for await (const { ok } of stage.client.putAll(twice)) count += Number(ok);
  expect(count).toBe(twice.length);
  expect(await read(stage.client, 'f2')).toEqual(bodyOf(600, 901));
});

it('leaves out what is not what it was, and what cannot be read', async () => {
  const stage = stageOf();
  const changed = item('changed', bodyOf(9000, 800), { verify: () => Promise.reject(conflict('FILE_CHANGED', 'no')) });
  const gone = item('gone', bodyOf(5, 1), {
    body: async function* () {
      yield bodyOf(9000, 802);
      throw Object.assign(new Error('gone'), { code: 'ENOENT' });
    },
  });
  const outcomes = await outcomesOf(stage.client.putAll([...files(20), changed, gone, item('end', bodyOf(7000, 803))]));
  expect(outcomes.get('changed')).toMatchObject({ ok: false, error: { code: 'FILE_CHANGED' } });
  expect(outcomes.get('gone')).toMatchObject({ ok: false, error: { code: 'ENOENT' } });
  expect(await read(stage.client, 'end')).toEqual(bodyOf(7000, 803));
  expect(stage.opsOf()).toContain('bulkGather');
});

it('sends what has no length and is short as ever', async () => {
  const stage = stageOf();
  const outcomes = await outcomesOf(stage.client.putAll([item('short', bodyOf(5000, 79), { sizeBytes: undefined })]));
  expect(allOk(outcomes)).toBe(true);
  expect(stage.opsOf()).toEqual(['put']);
});

it('holds to conditions', async () => {
  const stage = stageOf();
  const held = (bytes: number) => files(20, bytes).map((one) => ({ ...one, ifVersion: 'absent' }));
  expect(allOk(await outcomesOf(stage.client.putAll(held(4000))))).toBe(true);
  expect(stage.opsOf()).toEqual(['bulkBegin', 'bulkPart', 'bulkGather']);
  for (const again of [held(3999), held(5).slice(0, 1)])
    expect(codesOf(await outcomesOf(stage.client.putAll(again)))).toEqual(['VERSION_MISMATCH']);
});

it('stops where the caller is not let in', async () => {
  const denied = { error: { kind: 'denied', code: 'NAMESPACE_DENIED', message: 'no' } };
  const stage = stageOf(({ op }) => (op === 'bulkPart' ? denied : undefined));
  await expect(outcomesOf(stage.client.putAll(files(30)))).rejects.toMatchObject({ code: 'NAMESPACE_DENIED' });
});
