// The frontend function asked by lambda:Invoke, on memory bodies: each operation, its errors as answers, and faults that fail the
// invocation.
import { describe, expect, it } from 'vitest';
import { AssertionError } from '../../lib/foundation/assert.ts';
import { retryLater } from '../../lib/foundation/errors.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { fromBase64, toBase64 } from '../../lib/service/protocol.ts';
import { TINY } from '../store/harness.ts';
import { deploy } from './events.ts';

const namespace = 'default';
const object = (key: string, body: Uint8Array | string, more: object = {}) => ({
  key,
  body: toBase64(Buffer.from(body)),
  ...more,
});
const put = (...objects: object[]) => ({ op: 'put', namespace, objects });

describe('the frontend function', () => {
  it('puts a batch, gives each back, and reports what was new', async () => {
    const { invoke } = deploy(1);
    const body = new SeededRandomness(1).bytes(5000);
    const answer = await invoke(put(object('a', body, { metadata: '{"mode":420}' }), object('b', '')));
    expect(answer).toMatchObject({
      results: [
        { key: 'a', sizeBytes: 5000 },
        { key: 'b', sizeBytes: 0 },
      ],
    });
    const { results } = answer as { results: { newBytes: number; dedupedBlocks: number; version: string }[] };
    expect(results.map((one) => one.newBytes > 0)).toEqual([true, false]);
    expect(await invoke(put(object('c', body)))).toMatchObject({ results: [{ newBytes: 0, dedupedBlocks: 5 }] });
    const got = (await invoke({ op: 'get', namespace, key: 'c' })) as { body: string; object: object };
    expect(Buffer.from(fromBase64(got.body))).toEqual(Buffer.from(body));
    expect(await invoke({ op: 'head', namespace, key: 'a' })).toEqual({
      object: expect.objectContaining({
        key: 'a',
        sizeBytes: 5000,
        metadata: '{"mode":420}',
        version: results[0]?.version,
      }),
    });
  });

  it('reads back what is sampled, as its schedule asks, and nothing where nothing is stored', async () => {
    const { invoke } = deploy(9);
    const nothing = { level: 'healthy', sampled: 0, read: 0, bytes: 0, findings: 0, done: true };
    expect(await invoke({ op: 'sample', msMax: 30_000 })).toEqual(nothing);
    await invoke(put(object('many', new SeededRandomness(9).bytes(400 * 1024))));
    const answer = (await invoke({ op: 'sample', msMax: 30_000 })) as { sampled: number };
    expect(answer).toMatchObject({ level: 'healthy', findings: 0, done: true });
    expect(answer.sampled).toBeGreaterThan(0);
    expect(await invoke({ op: 'sample' })).toMatchObject({ error: { code: 'REQUEST_INVALID' } });
  });

  it('answers each object of a batch for itself', async () => {
    const { invoke } = deploy(2);
    await invoke(put(object('there', 'x')));
    const answer = await invoke(
      put(object('new', '1'), object('../up', '2'), object('there', '3', { ifVersion: 'absent' }), object('', '4')),
    );
    expect(answer).toMatchObject({
      results: [
        { key: 'new' },
        { error: { kind: 'invalid', code: 'NAME_INVALID' } },
        { error: { kind: 'conflict', code: 'VERSION_MISMATCH' } },
        { error: { kind: 'invalid', code: 'NAME_EMPTY' } },
      ],
    });
    expect(await invoke(put(object('twice', '1'), object('twice', '2')))).toMatchObject({
      error: { kind: 'invalid', code: 'KEY_TWICE' },
    });
  });

  it('reads ranges, pinned to a version', async () => {
    const { invoke } = deploy(3);
    const body = new SeededRandomness(3).bytes(4000);
    const { results } = (await invoke(put(object('k', body)))) as { results: { version: string }[] };
    const version = results[0]?.version;
    const range = { offset: 1020, length: 2000 };
    const got = (await invoke({ op: 'get', namespace, key: 'k', range, version })) as { body: string; offset: number };
    expect(got.offset).toBe(1020);
    expect(Buffer.from(fromBase64(got.body))).toEqual(Buffer.from(body.subarray(1020, 3020)));
    await invoke(put(object('k', 'other')));
    expect(await invoke({ op: 'get', namespace, key: 'k', range: { offset: 0, length: 1 }, version })).toMatchObject({
      error: { kind: 'conflict', code: 'OBJECT_CHANGED' },
    });
    expect(await invoke({ op: 'get', namespace, key: 'k', range: { offset: 6, length: 1 } })).toMatchObject({
      error: { kind: 'invalid', code: 'RANGE_INVALID' },
    });
  });

  it('lists and deletes', async () => {
    const { invoke } = deploy(4);
    await invoke(put(object('a/1', 'x'), object('a/2', 'y'), object('b', 'z')));
    expect(await invoke({ op: 'list', namespace, delimiter: '/' })).toMatchObject({
      objects: [{ key: 'b', sizeBytes: 1 }],
      commonPrefixes: ['a/'],
    });
    const first = (await invoke({ op: 'list', namespace, prefix: 'a/', limit: 1 })) as { next: string };
    expect(first).toMatchObject({ objects: [{ key: 'a/1' }] });
    expect(await invoke({ op: 'list', namespace, prefix: 'a/', from: first.next })).toMatchObject({
      objects: [{ key: 'a/2' }],
    });
    expect(await invoke({ op: 'delete', namespace, objects: [{ key: 'a/1' }, { key: 'nobody' }] })).toEqual({
      results: [{ key: 'a/1' }, { error: expect.objectContaining({ kind: 'missing', code: 'OBJECT_MISSING' }) }],
    });
    expect(await invoke({ op: 'head', namespace, key: 'a/1' })).toMatchObject({ error: { code: 'OBJECT_MISSING' } });
  });

  it('takes a long object in parts', async () => {
    const { invoke } = deploy(5);
    const partBytes = 4 * TINY.blockBytesMax;
    const body = new SeededRandomness(5).bytes(3 * partBytes + 99);
    const begun = (await invoke({ op: 'uploadBegin', namespace, key: 'long' })) as {
      upload: string;
      partBytesMax: number;
    };
    expect(begun.partBytesMax % TINY.blockBytesMax).toBe(0);
    const { upload } = begun;
    for (let offset = 0; offset < body.byteLength; offset += partBytes) {
      const part = toBase64(body.subarray(offset, offset + partBytes));
      expect(await invoke({ op: 'uploadPart', upload, offset, body: part })).toEqual({});
    }
    const end = { op: 'uploadFinish', upload, namespace, key: 'long' };
    expect(await invoke({ ...end, sizeBytes: 1 })).toMatchObject({ error: { code: 'UPLOAD_INCOMPLETE' } });
    expect(await invoke({ ...end, sizeBytes: body.byteLength })).toMatchObject({
      object: { key: 'long', sizeBytes: body.byteLength },
    });
    const got = (await invoke({ op: 'get', namespace, key: 'long' })) as { body: string };
    expect(Buffer.from(fromBase64(got.body))).toEqual(Buffer.from(body));
    const other = (await invoke({ op: 'uploadBegin', namespace, key: 'other' })) as { upload: string };
    expect(await invoke({ op: 'uploadAbort', upload: other.upload })).toEqual({});
    expect(await invoke({ op: 'uploadPart', upload: other.upload, offset: 0, body: 'AAAA' })).toMatchObject({
      error: { kind: 'missing', code: 'UPLOAD_MISSING' },
    });
  });

  it.each([
    ['null', null],
    ['an unknown operation', { op: 'steal' }],
    ['an empty batch', { op: 'put', namespace, objects: [] }],
    ['a malformed batch', put({ key: 'a' })],
    ['a body that is not base64', put({ key: 'a', body: '*' })],
  ])('refuses %s as an answer', async (_, event) => {
    expect(await deploy(6).invoke(event)).toMatchObject({ error: { kind: 'invalid', code: 'REQUEST_INVALID' } });
  });

  it('answers that the store cannot be opened now, and fails on a fault of ours', async () => {
    const busy = deploy(7, () => Promise.reject(retryLater('PANDA_BUSY', 'wait')));
    expect(await busy.invoke({ op: 'head', namespace, key: 'a' })).toEqual({
      error: { kind: 'retry', code: 'PANDA_BUSY', message: 'wait' },
    });
    const broken = deploy(7, () => Promise.reject(new AssertionError('broken')));
    await expect(broken.invoke({ op: 'head', namespace, key: 'a' })).rejects.toThrow('broken');
  });
});
