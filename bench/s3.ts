// Puts and gets a second over S3, by a client in this process (s3/lean-client.ts) and a server in another, with the
// disk's own syncs. `s3`: small objects one by one and sixteen at once, one large body, and objects of 8 MiB by a
// hundred connections at once; with the processor time that server and client take for one, and the server's memory.
// `s3-peers [--rounds=N] [--share=PART of the requests] [--only=KIB]`: the small ones and the large one by the same
// client in turns with others, round by round: POCKETFUL_BENCH_BESIDE=CHECKOUT is Pocketful of another checkout;
// SeaweedFS, MinIO and versitygw take part if `weed`, `minio` and `versitygw` are on the PATH. Ratios are medians of
// those of a round.
// POCKETFUL_BENCH_PROFILE=FOLDER writes the server's processor profile there.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeededRandomness } from '../lib/foundation/randomness.ts';
import { type Benches, type BenchResult, type Figure, type Flags, machine, median } from './bench.ts';
import { Connection, type Prepared, prepared, type Wanted } from './s3/lean-client.ts';
import { minioServer, pocketfulServer, type Served, seaweedServer, versityServer } from './s3/served.ts';

const KIB = 1024;
const LARGE_BYTES = 256 * KIB * KIB;
const CROWD = { connections: 100, bytes: 8 * KIB * KIB } as const;
/** Of `/proc/PID/stat`, on every Linux. */
const TICKS_PER_SECOND = 100;
const SMALL = [
  { bytes: 4 * KIB, atOnce: 1, count: 300 },
  { bytes: 4 * KIB, atOnce: 16, count: 4000 },
  { bytes: 64 * KIB, atOnce: 16, count: 1500 },
] as const;
const PEER_ROUNDS = 5;
const PEER_SHARE = 0.25;

export const benches: Benches = { s3: benchS3, 's3-peers': benchPeers };

async function benchS3(): Promise<BenchResult> {
  return inFolder('s3', async (folder) => {
    const server = await pocketfulServer('pocketful', folder);
    try {
      return await figuresOf(server);
    } finally {
      server.stop();
    }
  });
}

async function benchPeers(flags: Flags): Promise<BenchResult> {
  return inFolder('s3-peers', async (folder) => {
    const servers = [await pocketfulServer('pocketful', folder)];
    const beside = process.env['POCKETFUL_BENCH_BESIDE'];
    try {
      if (beside !== undefined) servers.push(await pocketfulServer('beside', join(folder, 'beside'), beside));
      if (spawnSync('weed', ['version']).status === 0) servers.push(await seaweedServer(folder));
      if (spawnSync('minio', ['--version']).status === 0) servers.push(await minioServer(folder));
      if (spawnSync('versitygw', ['--version']).status === 0) servers.push(await versityServer(folder));
      return await peerFigures(servers, flags);
    } finally {
      for (const server of servers) server.stop();
    }
  });
}

async function inFolder(bench: string, run: (folder: string) => Promise<Figure[]>): Promise<BenchResult> {
  const folder = fs.mkdtempSync(join(process.env['POCKETFUL_BENCH_DIR'] ?? tmpdir(), 'pocketful-bench-'));
  try {
    return { bench, machine: `${machine()}, ${folder}`, figures: await run(folder) };
  } finally {
    fs.rmSync(folder, { recursive: true, maxRetries: 5 });
  }
}

async function figuresOf(server: Served): Promise<Figure[]> {
  const client = await Client.of(server);
  const figures: Figure[] = [];
  for (const small of SMALL) figures.push(...(await smallFigures(client, small, 0)));
  figures.push(peakOf(server, 'small objects'));
  const large = new SeededRandomness(9).bytes(LARGE_BYTES);
  figures.push(...(await largeFigures(client, large, 'large')), peakOf(server, 'one of 256 MiB'));
  figures.push(...(await crowdFigures(client, large)), peakOf(server, '8 MiB, 100 at once'));
  client.close();
  return figures;
}

/** By name of the figure: the median of the rounds, and of its ratios to the first server's. */
async function peerFigures(servers: readonly Served[], flags: Flags): Promise<Figure[]> {
  const { only = '', rounds = PEER_ROUNDS, share = PEER_SHARE } = flags;
  const clients = await Promise.all(servers.map(Client.of));
  const large = new SeededRandomness(9).bytes(LARGE_BYTES);
  const found = servers.map(() => new Map<string, Figure[]>());
  for (let round = 0; round < Number(rounds); round++) {
    for (const [i, client] of clients.entries()) {
      const figures: Figure[] = [];
      for (const small of SMALL) {
        if (only !== '' && only !== `${small.bytes / KIB}`) continue;
        const some = { ...small, count: Math.ceil(small.count * Number(share)) };
        figures.push(...(await smallFigures(client, some, round)));
      }
      if (only === '') figures.push(...(await largeFigures(client, changed(large, round), `large-${round}`)));
      for (const figure of figures) found[i]?.set(figure.name, [...(found[i]?.get(figure.name) ?? []), figure]);
    }
  }
  for (const client of clients) client.close();
  return [...(found[0]?.keys() ?? [])].flatMap((name) => {
    const values = found.map((of) => (of.get(name) ?? []).map(({ value }) => value));
    const ours = values[0] ?? [];
    const { unit } = (found[0]?.get(name) ?? [])[0] as Figure;
    return servers.map(({ name: server }, i) => ({
      name: `${name}: ${server}`,
      value: median(values[i] ?? []),
      unit,
      ratio: median((values[i] ?? []).map((value, round) => value / (ours[round] as number))),
    }));
  });
}

/** Another body of that length: none of its blocks was put before. */
function changed(bytes: Uint8Array, round: number): Uint8Array {
  const other = bytes.slice();
  for (let at = 0; at < other.length; at += 4 * KIB) other[at] = ((other[at] as number) + 1 + round) & 255;
  return other;
}

async function smallFigures(
  client: Client,
  { bytes, atOnce, count }: Record<keyof (typeof SMALL)[number], number>,
  round: number,
): Promise<Figure[]> {
  await client.connect(atOnce);
  const random = new SeededRandomness(bytes * 1000 + atOnce * 10 + round);
  const bodies = Array.from({ length: count }, () => random.bytes(bytes));
  const at = (i: number): string => `/bench/${bytes}/${atOnce}/${round}/${i}`;
  const figures: Figure[] = [];
  for (const method of ['PUT', 'GET'] as const) {
    const asked = bodies.map((body, i) =>
      client.prepared(method, at(i), method === 'PUT' ? { body } : { answerBytes: bytes }),
    );
    const name = `${method.toLowerCase()} ${bytes / KIB} KiB, ${atOnce} at once`;
    figures.push(...(await paced(client, name, asked, atOnce)));
  }
  return figures;
}

async function paced(client: Client, name: string, asked: readonly Prepared[], atOnce: number): Promise<Figure[]> {
  const times: number[] = [];
  let next = 0;
  const before = { server: processorSeconds(client.server.pid), client: process.cpuUsage() };
  const startMs = performance.now();
  const worker = async (): Promise<void> => {
    while (next < asked.length) {
      const beganMs = performance.now();
      await client.send(asked[next++] as Prepared);
      times.push(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(before.client);
  const serverSeconds = processorSeconds(client.server.pid) - before.server;
  const sorted = times.toSorted((a, b) => a - b);
  return [
    { name, value: asked.length / seconds, unit: '/s' },
    { name: `${name}, median`, value: sorted[sorted.length >> 1] as number, unit: 'ms' },
    { name: `${name}, 99 %`, value: sorted[Math.floor(sorted.length * 0.99)] as number, unit: 'ms' },
    { name: `${name}, processor time of the server for one`, value: (serverSeconds / asked.length) * 1e6, unit: 'us' },
    { name: `${name}, processor time of the client for one`, value: (user + system) / asked.length, unit: 'us' },
  ];
}

async function largeFigures(client: Client, body: Uint8Array, name: string): Promise<Figure[]> {
  await client.connect(1);
  const put = client.prepared('PUT', `/bench/${name}`, { body });
  const get = client.prepared('GET', `/bench/${name}`, { answerBytes: body.length });
  return [
    await rate('put one of 256 MiB', body.length, () => client.send(put)),
    await rate('get one of 256 MiB', body.length, () => client.send(get)),
  ];
}

async function crowdFigures(client: Client, large: Uint8Array): Promise<Figure[]> {
  const { connections, bytes } = CROWD;
  await client.connect(connections);
  // No two have a block in common.
  const apart = Math.floor((LARGE_BYTES - bytes) / connections) - 1;
  const figures: Figure[] = [];
  for (const method of ['PUT', 'GET'] as const) {
    const asked = Array.from({ length: connections }, (_, i) => {
      const body = large.subarray(i * apart, i * apart + bytes);
      return client.prepared(method, `/bench/crowd/${i}`, method === 'PUT' ? { body } : { answerBytes: bytes });
    });
    const name = `${method.toLowerCase()} 8 MiB, 100 at once`;
    figures.push(await rate(name, connections * bytes, () => Promise.all(asked.map((one) => client.send(one)))));
  }
  return figures;
}

async function rate(name: string, bytes: number, work: () => Promise<unknown>): Promise<Figure> {
  const startMs = performance.now();
  await work();
  return { name, value: bytes / 1e6 / ((performance.now() - startMs) / 1000), unit: 'MB/s' };
}

/** User and system time of all of its threads. */
function processorSeconds(pid: number): number {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function peakOf({ pid }: Served, after: string): Figure {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { name: `peak memory of the server after ${after}`, value: Number(kib) / KIB, unit: 'MiB' };
}

/** Connections that are kept, and requests that are signed before they are counted. */
class Client {
  readonly server: Served;
  readonly #idle: Connection[] = [];

  private constructor(server: Served) {
    this.server = server;
  }

  /** With the S3 bucket that all is put into. */
  static async of(server: Served): Promise<Client> {
    const client = new Client(server);
    await client.connect(1);
    await client.send(client.prepared('PUT', '/bench'));
    return client;
  }

  async connect(connections: number): Promise<void> {
    while (this.#idle.length < connections) this.#idle.push(await Connection.open(this.server.endpoint));
  }

  prepared(method: string, path: string, wanted?: Wanted): Prepared {
    return prepared(this.server.endpoint, this.server.key, method, path, wanted);
  }

  /** As many at once as there are connections. */
  async send(asked: Prepared): Promise<void> {
    let connection = this.#idle.pop();
    if (connection === undefined) throw new Error('every connection is in use');
    if (!connection.isOpen) connection = await Connection.open(this.server.endpoint);
    await connection.send(asked);
    this.#idle.push(connection);
  }

  close(): void {
    for (const connection of this.#idle.splice(0)) connection.close();
  }
}
