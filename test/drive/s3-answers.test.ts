// The S3 drive against a server that gives the answers an emulator never gives: throttling, lost answers, denials, broken
// bodies, failures inside a successful answer.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import type { StorageClass } from '../../lib/cost/price-book.ts';
import { S3Drive } from '../../lib/drive/s3-drive.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const coded = (kind: string, code: string): object => expect.objectContaining({ name: 'PocketfulError', kind, code });
const at = { zone: 1, generation: 0 };
const opened: { server: Server; client: S3Client }[] = [];

afterEach(() => {
  for (const { server, client } of opened.splice(0)) {
    client.destroy();
    server.closeAllConnections();
    server.close();
  }
});

/** A drive whose requests get these answers, the last one over and over; `attempts` are those of the SDK. */
async function driveOn(
  answers: readonly Answer[],
  attempts = 1,
  account?: string,
): Promise<{ drive: S3Drive; requests: string[]; owners: Set<unknown> }> {
  const requests: string[] = [];
  const owners = new Set<unknown>();
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('latin1');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const answer = answers[Math.min(requests.length, answers.length - 1)] as Answer;
      requests.push(`${request.method} ${request.url}`);
      owners.add(request.headers['x-amz-expected-bucket-owner']);
      answer(request, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forcePathStyle: true,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: attempts,
  });
  opened.push({ server, client });
  return { drive: new S3Drive({ client, bucket: 'b', account }), requests, owners };
}

const failing =
  (status: number, code: string): Answer =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`);
  };
const empty: Answer = (_, response) => response.writeHead(200).end();
const xml =
  (text: string): Answer =>
  (_, response) =>
    response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?>${text}`);
const listing = (...keys: string[]): Answer =>
  xml(`<ListBucketResult>${keys.map((k) => `<Contents><Key>${k}</Key><Size>1</Size></Contents>`).join('')}
    <IsTruncated>false</IsTruncated></ListBucketResult>`);

it('every request says whose the bucket must be, where that is known', async () => {
  for (const account of ['123456789012', undefined]) {
    let keys = ['1/0/x'];
    const bucket: Answer = (request, response, body) => {
      if (request.method === 'POST' || request.method === 'DELETE') keys = [];
      listing(...keys)(request, response, body);
    };
    const { drive, requests, owners } = await driveOn([bucket], 1, account);
    await drive.append(at, 'x', [new Uint8Array(3)]);
    await drive.read(at, 'x').catch(() => {});
    await drive.list(at);
    await drive.zones();
    await drive.erase(at).catch(() => {});
    await drive.probe().catch(() => {});
    expect(new Set(requests.map((line) => line.split(' ')[0]))).toEqual(new Set(['PUT', 'GET', 'POST', 'DELETE']));
    expect([...owners]).toEqual([account]);
  }
});

describe('S3 drive: answers', () => {
  it.each([
    [503, 'SlowDown', 'retry', 'DRIVE_BUSY'],
    [500, 'InternalError', 'retry', 'DRIVE_BUSY'],
    [409, 'ConditionalRequestConflict', 'retry', 'DRIVE_BUSY'],
    [400, 'RequestTimeout', 'retry', 'DRIVE_BUSY'],
    [429, 'TooManyRequests', 'retry', 'DRIVE_BUSY'],
    [412, 'PreconditionFailed', 'conflict', 'CHUNK_EXISTS'],
    [403, 'AccessDenied', 'denied', 'DRIVE_DENIED'],
    [403, 'SignatureDoesNotMatch', 'denied', 'DRIVE_DENIED'],
    [400, 'ExpiredToken', 'denied', 'DRIVE_DENIED'],
    [404, 'NoSuchBucket', 'retry', 'DRIVE_UNAVAILABLE'],
    [507, 'XMinioStorageFull', 'retry', 'DRIVE_FULL'],
  ])('append: %i %s is %s %s', async (status, code, kind, expected) => {
    const { drive } = await driveOn([failing(status, code)]);
    await expect(drive.append(at, 'a', [Buffer.from('a')])).rejects.toEqual(coded(kind, expected));
  });

  it('sends the length and the condition', async () => {
    let headers: IncomingMessage['headers'] = {};
    const { drive, requests } = await driveOn([
      (request, response) => {
        headers = request.headers;
        response.writeHead(200).end();
      },
    ]);
    await drive.append(at, '0-1', [Buffer.from('ab'), Buffer.from('c')]);
    expect(requests).toEqual(['PUT /b/1/0/0-1?x-id=PutObject']);
    expect(headers).toMatchObject({ 'if-none-match': '*', 'content-length': '3' });
    const classOf = async (bytes: number, storageClass?: StorageClass): Promise<unknown> => {
      await drive.append(at, '0-1', [new Uint8Array(bytes)], undefined, storageClass);
      return headers['x-amz-storage-class'];
    };
    expect(await classOf(131_072)).toBeUndefined();
    expect(await classOf(131_072, 'standard')).toBeUndefined();
    expect(await classOf(131_072, 'standard-ia')).toBe('STANDARD_IA');
    expect(await classOf(200_000, 'glacier-ir')).toBe('GLACIER_IR');
    // It would be billed as 128 KiB.
    expect(await classOf(131_071, 'glacier-ir')).toBeUndefined();
  });

  it('says CHUNK_EXISTS when a retry of the SDK meets its own object', async () => {
    const lost: Answer = (request) => request.socket.destroy();
    const { drive, requests } = await driveOn([lost, failing(412, 'PreconditionFailed')], 3);
    await expect(drive.append(at, 'a', [Buffer.from('a')])).rejects.toEqual(coded('conflict', 'CHUNK_EXISTS'));
    expect(requests).toHaveLength(2);
  });

  it('calls a lost connection, and no server at all, busy', async () => {
    const { drive } = await driveOn([(request) => request.socket.destroy()]);
    await expect(drive.append(at, 'a', [Buffer.from('a')])).rejects.toEqual(coded('retry', 'DRIVE_BUSY'));
    opened[0]?.server.closeAllConnections();
    opened[0]?.server.close();
    await expect(drive.read(at, 'a')).rejects.toEqual(coded('retry', 'DRIVE_BUSY'));
  });

  it('calls a body that ends early busy, never a short object', async () => {
    const { drive } = await driveOn([
      (_, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('only this');
        setTimeout(() => response.destroy(), 20);
      },
    ]);
    await expect(drive.read(at, 'a')).rejects.toEqual(coded('retry', 'DRIVE_BUSY'));
  });

  it('cuts the range itself when the server ignores it', async () => {
    const { drive } = await driveOn([(_, response) => response.writeHead(200).end('0123456789')]);
    expect(Buffer.from(await drive.read(at, 'a', { offset: 3, length: 4 })).toString()).toBe('3456');
    expect((await drive.read(at, 'a', { offset: 10, length: 4 })).byteLength).toBe(0);
  });

  it('aborts a request on its way with the reason of the signal', async () => {
    const reason = new Error('stop');
    const abort = new AbortController();
    const { drive } = await driveOn([() => abort.abort(reason)]);
    await expect(drive.read(at, 'a', undefined, abort.signal)).rejects.toBe(reason);
  });
});

describe('S3 drive: erase', () => {
  const deleted = xml('<DeleteResult></DeleteResult>');
  const refused = xml(
    '<DeleteResult><Error><Key>1/0/b</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>',
  );

  it('goes on until the list is empty', async () => {
    const { drive, requests } = await driveOn([
      listing('1/0/a', '1/0/b'),
      deleted,
      listing('1/0/late'),
      deleted,
      listing(),
    ]);
    await drive.erase(at);
    expect(requests.map((r) => r.split(' ')[0])).toEqual(['GET', 'POST', 'GET', 'POST', 'GET']);
  });

  it('reports a key that could not be deleted', async () => {
    const { drive } = await driveOn([listing('1/0/a', '1/0/b'), refused]);
    await expect(drive.erase(at)).rejects.toEqual(coded('denied', 'DRIVE_DENIED'));
  });

  it('asks a probe to write, to list and to delete', async () => {
    const { drive, requests } = await driveOn([empty, listing(), empty]);
    await drive.probe();
    expect(requests.map((r) => r.split(' ')[0])).toEqual(['PUT', 'GET', 'DELETE']);
  });
});
