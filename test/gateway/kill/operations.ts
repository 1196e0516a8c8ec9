// What is under way when a server is killed: a part, a Complete, an Abort, a copy. Each first makes ready what it needs.
import { EmbeddedClient } from '../../../lib/client/file/embedded-client.ts';
import { openEmbedded } from '../../../lib/engine/wire/embedded.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import type { Call } from '../../../lib/gateway/exchange.ts';
import { HANDLERS } from '../../../lib/gateway/handlers.ts';
import { type OpenGateway, openGateway } from '../../../lib/gateway/open-gateway.ts';
import type { Operation as Name } from '../../../lib/s3/request/operation.ts';

export type Operation = 'part' | 'complete' | 'abort' | 'copy';

export interface Opened {
  readonly client: EmbeddedClient;
  readonly open: OpenGateway;
  close(): Promise<void>;
}

export async function openStore(dir: string): Promise<Opened> {
  const client = new EmbeddedClient(`file:${dir}`, await openEmbedded(dir), 'default');
  return { client, open: openGateway(await client.objects()), close: () => client.close() };
}

const BODY_BYTES = 40_000;
/** Others for each name, so that every one is stored anew. */
export const bodyOf = (name: string, part = 1): Buffer =>
  Buffer.from(new SeededRandomness(Number.parseInt(name.replace(/\D/g, ''), 10) * 10 + part).bytes(BODY_BYTES));

interface Said {
  readonly query?: object;
  readonly headers?: object;
  readonly body?: string | Uint8Array;
}

/** An operation as it is when its sender is known and may. */
export async function perform(
  { objects, buckets, uploads, anybody }: OpenGateway,
  operation: Name,
  key: string,
  { query = {}, headers = {}, body = '' }: Said,
): Promise<string> {
  const bytes = Buffer.from(body);
  const call = {
    request: {
      id: 'x',
      async *body() {
        yield bytes;
      },
    },
    headers: new Map(Object.entries({ 'content-length': String(bytes.length), ...headers })),
    query: new Map(Object.entries(query)),
    operation,
    sender: {
      key: { id: 'k', name: 'k', rules: [{ rights: ['read'], bucket: '*', prefix: '' }] },
      claim: { payloadHash: 'UNSIGNED-PAYLOAD' },
    },
    bucket: 'default',
    key,
  } as unknown as Call;
  const { body: answer, headers: said } = await HANDLERS[operation](
    { objects, buckets, uploads, anybody, region: 'us-east-1' },
    call,
  );
  return (typeof answer === 'string' ? answer : '') + (said['etag'] ?? '');
}

async function begun(open: OpenGateway, name: string): Promise<{ id: string; etag: string }> {
  const id = /<UploadId>([^<]*)</.exec(await perform(open, 'CreateMultipartUpload', name, {}))?.[1] ?? '';
  const etag = await perform(open, 'UploadPart', name, {
    query: { uploadId: id, partNumber: '1' },
    body: bodyOf(name),
  });
  return { id, etag };
}

export const OPERATIONS: Readonly<
  Record<Operation, (open: OpenGateway, name: string) => Promise<() => Promise<unknown>>>
> = {
  async part(open, name) {
    const { id } = await begun(open, name);
    return () => perform(open, 'UploadPart', name, { query: { uploadId: id, partNumber: '2' }, body: bodyOf(name, 2) });
  },
  async complete(open, name) {
    const { id, etag } = await begun(open, name);
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
    return () => perform(open, 'CompleteMultipartUpload', name, { query: { uploadId: id }, body });
  },
  async abort(open, name) {
    const { id } = await begun(open, name);
    return () => perform(open, 'AbortMultipartUpload', name, { query: { uploadId: id } });
  },
  async copy(open, name) {
    await perform(open, 'PutObject', `source-${name}`, { body: bodyOf(name) });
    return () => perform(open, 'CopyObject', name, { headers: { 'x-amz-copy-source': `default/source-${name}` } });
  },
};
