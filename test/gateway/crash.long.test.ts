// Every port call of an upload in parts, of its Complete and Abort, and of a copy is a place to die at: what was acknowledged is there,
// nothing is half there, and what is left over is swept.
import { describe, expect, it } from 'vitest';
import { objectEngineOf } from '../../lib/client/object-engine.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import type { Call } from '../../lib/gateway/exchange.ts';
import { HANDLERS } from '../../lib/gateway/handlers.ts';
import { PARTS, UPLOADS } from '../../lib/gateway/objects.ts';
import { type OpenGateway, openGateway } from '../../lib/gateway/open-gateway.ts';
import type { Operation } from '../../lib/s3/request/operation.ts';
import { SMALL } from '../compaction/acting-world.ts';
import { crashEverywhere, Model } from '../store/crash.ts';
import { type Process, World } from '../store/harness.ts';

const KIB = 1024;

const gatewayOf = (p: Process): OpenGateway => openGateway(objectEngineOf(p));

/** An operation as it is when its sender is known and may. */
async function perform(
  { objects, buckets, uploads, anybody }: OpenGateway,
  operation: Operation,
  key: string,
  { query = {}, headers = {}, body = '' }: { query?: object; headers?: object; body?: string | Uint8Array },
): Promise<string> {
  const bytes = Buffer.from(body);
  const all = new Map(Object.entries({ 'content-length': String(bytes.length), ...headers }));
  const rules = [{ rights: ['read'], bucket: '*', prefix: '' }];
  const call = {
    request: {
      id: 'x',
      body: async function* () {
        yield bytes;
      },
    },
    headers: all,
    query: new Map(Object.entries(query)),
    operation,
    sender: { key: { id: 'k', name: 'k', rules }, claim: { payloadHash: 'UNSIGNED-PAYLOAD' } },
    bucket: 'default',
    key,
  } as unknown as Call;
  const answer = await HANDLERS[operation]({ objects, buckets, uploads, anybody, region: 'us-east-1' }, call);
  return typeof answer.body === 'string'
    ? answer.body + (answer.headers['etag'] ?? '')
    : (answer.headers['etag'] ?? '');
}

const idIn = (xml: string): string => /<UploadId>([^<]*)</.exec(xml)?.[1] ?? '';
const complete = (etag: string): string =>
  `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;

/** What the next server does when it starts, and when somebody aborts what is left: then nothing is left. */
async function swept(p: Process): Promise<void> {
  const gateway = gatewayOf(p);
  await gateway.uploads.sweep();
  for (const { id, key } of await gateway.uploads.list('default', ''))
    await perform(gateway, 'AbortMultipartUpload', key, { query: { uploadId: id } });
  for (const namespace of [PARTS, UPLOADS]) {
    const { objects } = await p.frontend.list({ namespace });
    expect(objects.map(({ key }) => key)).toEqual([]);
  }
}

const world = async () => {
  const made = new World(5, SMALL, 6);
  const p = made.start();
  const model = new Model();
  const body = new SeededRandomness(1).bytes(5 * KIB);
  await p.frontend.put({ namespace: 'default', key: 'source', body });
  await gatewayOf(p).buckets.create('default', 'k');
  model.put('source', body);
  return { world: made, model };
};

describe('a crash at every port call', () => {
  it.each([
    ['short', 3 * KIB],
    ['long', 60 * KIB],
  ])('of an upload in parts that is completed twice: a %s one', async (_, bytes) => {
    const body = new SeededRandomness(2).bytes(bytes);
    const report = await crashEverywhere(
      {
        prepare: world,
        act: async (p, model) => {
          const gateway = gatewayOf(p);
          const id = idIn(await perform(gateway, 'CreateMultipartUpload', 'whole', {}));
          const query = { uploadId: id, partNumber: '1' };
          await perform(gateway, 'UploadPart', 'whole', { query, body: 'first' });
          const etag = await perform(gateway, 'UploadPart', 'whole', { query, body });
          model.begin('whole', body);
          await perform(gateway, 'CompleteMultipartUpload', 'whole', { query: { uploadId: id }, body: complete(etag) });
          model.put('whole', body);
          await perform(gateway, 'CompleteMultipartUpload', 'whole', { query: { uploadId: id }, body: complete(etag) });
        },
        // biome-ignore lint/suspicious/noThenProperty: what comes next, no promise
        then: swept,
      },
      bytes > 10 * KIB ? 16 : 1,
    );
    expect(report.calls).toBeGreaterThan(20);
  });

  it('of an upload that is aborted, and of a copy', async () => {
    const report = await crashEverywhere({
      prepare: world,
      act: async (p, model) => {
        const gateway = gatewayOf(p);
        const id = idIn(await perform(gateway, 'CreateMultipartUpload', 'never', {}));
        await perform(gateway, 'UploadPart', 'never', { query: { uploadId: id, partNumber: '1' }, body: 'part' });
        await perform(gateway, 'AbortMultipartUpload', 'never', { query: { uploadId: id } });
        const body = model.there.get('source') as Uint8Array;
        model.begin('copy', body);
        await perform(gateway, 'CopyObject', 'copy', { headers: { 'x-amz-copy-source': 'default/source' } });
        model.put('copy', body);
      },
      // biome-ignore lint/suspicious/noThenProperty: what comes next, no promise
      then: swept,
    });
    expect(report.calls).toBeGreaterThan(20);
  });
});
