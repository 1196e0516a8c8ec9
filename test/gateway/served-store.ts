// A real store in a temporary directory with the S3 endpoint in front of it, and a client of AWS's SDK with a key of it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { AccessKey } from '../../lib/access/access-keys.ts';
import { parseRule } from '../../lib/access/policy.ts';
import { EmbeddedClient } from '../../lib/client/file/embedded-client.ts';
import { createEmbedded } from '../../lib/engine/wire/embedded.ts';
import { systemClock } from '../../lib/foundation/clock.ts';
import { systemRandomness } from '../../lib/foundation/randomness.ts';
import { type RunningServer, startServer } from '../../lib/gateway/http/server.ts';
import { type OpenGateway, type OpenGatewayOptions, openGateway } from '../../lib/gateway/open-gateway.ts';
import { type Settings, settingsOf } from '../../lib/settings/settings.ts';

const MIB = 1024 * 1024;

/** Blocks as large as a store for people has them by the order of size, on six drives. */
const SERVED = settingsOf('demo', {
  preset: 'custom',
  blockBytesMax: MIB,
  extentBytes: 64 * MIB,
  bucketBytes: 4 * MIB,
  slotsPerBucketMax: 65_536,
  groupBytesMin: 12 * MIB,
  warmCodec: 'xor-2-1',
  openVolumes: 2,
});

export class ServedStore {
  readonly dir: string;
  readonly client: EmbeddedClient;
  readonly open: OpenGateway;
  readonly server: RunningServer;
  /** May do everything. */
  readonly key: AccessKey;
  readonly internal: unknown[];

  private constructor(parts: Pick<ServedStore, 'dir' | 'client' | 'open' | 'server' | 'key' | 'internal'>) {
    this.dir = parts.dir;
    this.client = parts.client;
    this.open = parts.open;
    this.server = parts.server;
    this.key = parts.key;
    this.internal = parts.internal;
  }

  static async make(
    options: OpenGatewayOptions & { readonly settings?: Settings; readonly drives?: number } = {},
  ): Promise<ServedStore> {
    const { settings = SERVED, drives = 6, ...rest } = options;
    const dir = mkdtempSync(join(tmpdir(), 'pocketful-s3-'));
    const engine = await createEmbedded(dir, { settings, drives });
    const client = new EmbeddedClient(`file:${dir}`, engine, 'default');
    const internal: unknown[] = [];
    const onInternal = (error: unknown): unknown => internal.push(error);
    const open = openGateway(await client.objects(), { onInternal, ...rest });
    const key = await open.keys.add(
      { name: 'test', rules: [parseRule('all')] },
      { randomness: systemRandomness, nowMs: Date.now() },
    );
    const server = await startServer(
      { host: '127.0.0.1', port: 0 },
      { answer: (request) => open.gateway.answer(request), clock: systemClock, randomness: systemRandomness },
    );
    return new ServedStore({ dir, client, open, server, key, internal });
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.server.port}`;
  }

  s3(key: Pick<AccessKey, 'id' | 'secret'> = this.key, config: S3ClientConfig = {}): S3Client {
    return new S3Client({
      endpoint: this.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { accessKeyId: key.id, secretAccessKey: key.secret },
      ...config,
    });
  }

  async close(): Promise<void> {
    await this.server.stop();
    await this.client.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
