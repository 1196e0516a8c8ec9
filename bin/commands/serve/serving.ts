// What pocketful serve runs: the S3 endpoint of a store, and the store's upkeep in the same process, until Ctrl-C.
import { readFile } from 'node:fs/promises';
import { type PocketfulStore, parseAddress } from '../../../lib/client/face.ts';
import { EmbeddedClient } from '../../../lib/client/file/embedded-client.ts';
import { runTasks, tasksOf } from '../../../lib/engine/upkeep/daemon.ts';
import { HOUR_MS } from '../../../lib/foundation/durations.ts';
import { invalid, isPocketfulError } from '../../../lib/foundation/errors.ts';
import { systemRandomness } from '../../../lib/foundation/randomness.ts';
import { ServerMetrics } from '../../../lib/gateway/http/metrics.ts';
import { startServer } from '../../../lib/gateway/http/server.ts';
import { type OpenGateway, openGateway } from '../../../lib/gateway/open-gateway.ts';
import { storeGauges } from '../../../lib/gateway/store-gauges.ts';
import { KEPT_LEASE_MS } from '../../../lib/limits/volume.ts';
import type { Run } from '../command.ts';
import { type AdminPort, startAdminPort } from './admin-port.ts';
import { hostOf, LOOPBACK } from './hosts.ts';
import { readyMade } from './ready-made.ts';
import type { ServeOptions } from './serve-options.ts';

const SWEEP_EVERY = HOUR_MS;

export async function serve(run: Run, options: ServeOptions): Promise<void> {
  refuseDaemon(run, options);
  const external = externalUrl(options.externalUrl);
  const tls = await tlsOf(options);
  const store = await run.open();
  const engine = await store.objects();
  if (store instanceof EmbeddedClient) store.engine.volumes.open.keepLeases(KEPT_LEASE_MS);
  const metrics = new ServerMetrics();
  const open = openGateway(engine, {
    region: options.region,
    ...(options.domain === undefined ? {} : { domains: options.domain.map((name) => name.toLowerCase()) }),
    ...(external === undefined ? {} : { hosts: [external.host] }),
    onBatch: (objects) => metrics.batch(objects),
    onInternal: (error, id) => run.say(`pocketful: request ${id} failed: ${said(error)}`),
  });
  watch(metrics, open, store);
  // What was put with the CLI is an S3 bucket as well.
  await open.buckets.create(store.namespace, 'pocketful');
  const { signal } = run.interruption;
  const server = await startServer(options, {
    answer: (request) => open.gateway.answer(request),
    clock: engine.clock,
    randomness: systemRandomness,
    tls,
    onAnswered: (answered) => metrics.answered(answered),
  });
  let admin: AdminPort | undefined;
  try {
    admin = await startAdminPort(run, options, { store, open, metrics, tls });
    const url = external?.origin ?? `${tls === undefined ? 'http' : 'https'}://${hostOf(options.host)}:${server.port}`;
    await greet(run, open, { url, admin: admin.url, madeToken: admin.madeToken, bucket: store.namespace });
    if (tls === undefined && !LOOPBACK.test(options.host) && external?.protocol !== 'https:')
      run.say(`without --cert everybody on the way to ${options.host} can read what is put and got`);
    const work = Promise.all([upkeep(run, store, options), sweeps(run, open)]);
    await Promise.race([aborted(signal), work]);
    await server.stop();
    await work;
  } finally {
    await server.stop();
    await admin?.stop();
    await engine.tally?.();
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

const said = (error: unknown): string => {
  if (isPocketfulError(error)) return `${error.message} (${error.code})`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
};

/** A stage has schedules of its own, which would do the same work. Throws `invalid` NOT_FOR_STAGE. */
function refuseDaemon({ address }: Run, { withDaemon }: ServeOptions): void {
  if (withDaemon && parseAddress(address).engine === 'aws')
    throw invalid(
      'NOT_FOR_STAGE',
      `${address}: the upkeep of a stage is done by its own schedules: leave --with-daemon out`,
    );
}

/** Throws `invalid` URL_INVALID. */
function externalUrl(text: string | undefined): URL | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw invalid('URL_INVALID', `"${text}" is no http or https URL`);
}

async function tlsOf({ cert, key }: ServeOptions): Promise<{ cert: string; key: string } | undefined> {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw invalid('TLS_INCOMPLETE', 'TLS needs both --cert and --key');
  return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
}

async function greet(
  run: Run,
  { keys }: OpenGateway,
  {
    url,
    admin,
    madeToken,
    bucket,
  }: {
    readonly url: string;
    readonly admin: string;
    readonly madeToken: string | undefined;
    readonly bucket: string;
  },
): Promise<void> {
  run.answer(
    { endpoint: url, admin, bucket },
    `endpoint ${url}\nadmin    ${admin}/ui (and /healthz, /readyz, /metrics)\n\n${readyMade({ url, bucket })}`,
  );
  if (madeToken !== undefined) run.say(`the token of the admin port, until it is started again: ${madeToken}`);
  const { done } = await keys.list().next();
  if (done) run.say('there is no access key yet: make one with pocketful access add NAME --allow all');
}

function watch(metrics: ServerMetrics, { objects }: OpenGateway, store: PocketfulStore): void {
  for (const source of storeGauges(() => store.admin.status(), objects.engine.clock)) metrics.gauge(source);
  if (store instanceof EmbeddedClient) {
    const { stats } = store.engine.volumes.records;
    metrics.gauge({
      name: 'pocketful_degraded_reads',
      help: 'Records that this process had to rebuild to read them',
      read: () => stats.degradedReads,
    });
  }
  metrics.gauge({
    name: 'pocketful_s3_waiting_objects',
    help: 'Small objects that wait for a batch',
    read: () => objects.batcher.waiting,
  });
}

/** As the daemon does it; what fails is tried again. */
async function upkeep(run: Run, store: PocketfulStore, { daemon }: ServeOptions): Promise<void> {
  if (!daemon || !(store instanceof EmbeddedClient)) return;
  await runTasks(tasksOf(store.engine), {
    clock: run.clock,
    signal: run.interruption.signal,
    once: false,
    onDone: ({ task, error }) => {
      if (error !== undefined) run.say(`pocketful: ${task}: ${error.message} (${error.code})`);
    },
  });
}

/** Uploads that nobody ends. */
async function sweeps(run: Run, { uploads }: OpenGateway): Promise<void> {
  const { signal } = run.interruption;
  while (!signal.aborted) {
    try {
      await uploads.sweep();
    } catch (error) {
      run.say(`pocketful: uploads that are given up: ${said(error)}`);
    }
    await run.clock.sleep(SWEEP_EVERY, signal).catch(() => {});
  }
}
