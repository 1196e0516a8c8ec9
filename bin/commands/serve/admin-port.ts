// The port of whoever runs the server, as `serve` has it: on loopback for who is on this machine, elsewhere for who
// knows the token.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PocketfulStore } from '../../../lib/client/face.ts';
import { invalid } from '../../../lib/foundation/errors.ts';
import { systemRandomness } from '../../../lib/foundation/randomness.ts';
import { startAdminServer } from '../../../lib/gateway/http/admin-server.ts';
import type { ServerMetrics } from '../../../lib/gateway/http/metrics.ts';
import type { RunningServer } from '../../../lib/gateway/http/server.ts';
import type { OpenGateway } from '../../../lib/gateway/open-gateway.ts';
import { WebView } from '../../../lib/gateway/web/web-view.ts';
import { ADMIN_TOKEN_CHARACTERS_MIN } from '../../../lib/limits/web.ts';
import type { Run } from '../command.ts';
import { hostOf, LOOPBACK } from './hosts.ts';
import type { ServeOptions } from './serve-options.ts';

const TOKEN_BYTES = 24;
/** The source and the bundle lie that deep below the package at the most. */
const FOLDERS_UP = 4;

export interface AdminParts {
  readonly store: PocketfulStore;
  readonly open: OpenGateway;
  readonly metrics: ServerMetrics;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

export interface AdminPort extends RunningServer {
  readonly url: string;
  /** Made for this run, as nobody gave one; undefined: there is none, or a person knows it. */
  readonly madeToken: string | undefined;
}

/** Throws `invalid` TOKEN_INVALID. */
export async function startAdminPort(
  run: Run,
  { adminHost, adminPort, adminToken }: ServeOptions,
  { store, open, metrics, tls }: AdminParts,
): Promise<AdminPort> {
  const isLoopback = LOOPBACK.test(adminHost);
  const given = adminToken === undefined ? undefined : await tokenFrom(adminToken);
  const made =
    given === undefined && !isLoopback
      ? Buffer.from(systemRandomness.bytes(TOKEN_BYTES)).toString('base64url')
      : undefined;
  const ownTls = isLoopback ? undefined : tls;
  const web = new WebView({
    address: store.address,
    namespace: store.namespace,
    admin: store.admin,
    open,
    clock: run.clock,
    randomness: systemRandomness,
    token: given ?? made,
    isTls: ownTls !== undefined,
    operations: operationsText,
    onInternal: (error) => run.say(`pocketful: a page failed: ${error instanceof Error ? error.stack : String(error)}`),
    signal: run.interruption.signal,
  });
  const server = await startAdminServer(
    { host: adminHost, port: adminPort },
    {
      metrics,
      ready: async () => void (await open.objects.list({ namespace: store.namespace, limit: 1 })),
      web,
      randomness: systemRandomness,
      tls: ownTls,
    },
  );
  if (!isLoopback && ownTls === undefined)
    run.say(`without --cert everybody on the way to ${adminHost} can read the token of the admin port`);
  return {
    port: server.port,
    url: `${ownTls === undefined ? 'http' : 'https'}://${hostOf(adminHost)}:${server.port}`,
    madeToken: made,
    async stop() {
      await server.stop();
      await web.ended;
    },
  };
}

async function tokenFrom(file: string): Promise<string> {
  const token = (await readFile(file, 'utf8')).trim();
  if (token.length < ADMIN_TOKEN_CHARACTERS_MIN || /\s/.test(token))
    throw invalid(
      'TOKEN_INVALID',
      `${file}: a token is at least ${ADMIN_TOKEN_CHARACTERS_MIN} characters without space`,
    );
  return token;
}

/** docs/operations.md of this package, in the source and where it is installed. */
async function operationsText(): Promise<string | undefined> {
  let folder = import.meta.dirname;
  for (let i = 0; i <= FOLDERS_UP; i++, folder = dirname(folder))
    try {
      return await readFile(join(folder, 'docs', 'operations.md'), 'utf8');
    } catch {
      // further up
    }
  return undefined;
}
