// A store on disk to do harm to, and how its answers are looked at: through the command line, as anyone would.
import { cpSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../../lib/client/open-store.ts';
import { type Randomness, SeededRandomness } from '../../lib/foundation/randomness.ts';
import { pocketful, type Ran } from '../cli/cli.ts';

export const DRIVES = 11;
const KIB = 1024;
/** Everything small, so that few files fill volumes; hot data stays hot until it is asked to go. */
export const SETTINGS = {
  preset: 'custom',
  blockBytesMax: 12 * KIB,
  extentBytes: 192 * KIB,
  bucketBytes: 48 * KIB,
  slotsPerBucketMax: 4096,
  groupBytesMin: 288 * KIB,
  hotCodec: 'replica-4',
  warmCodec: 'rs-6-3',
  encodeAfterMs: 3_600_000,
  zonesPerDrive: 4096,
  deleteGraceMs: 0,
  trashGraceMs: 0,
  openVolumes: 2,
  hotBytesMax: 4 * KIB * KIB * KIB,
  cell: 'c0',
};

export interface DoctorDocument {
  readonly level?: string;
  readonly healthy: boolean;
  readonly damage?: readonly { readonly drive: unknown; readonly kind: string }[];
  readonly findings: readonly { readonly severity: string; readonly check: string; readonly message: string }[];
  readonly looked?: { readonly strays?: { readonly objects: number } };
}

export interface Examined {
  readonly code: number | null;
  readonly document: DoctorDocument | undefined;
  readonly said: string;
}

export interface Reading {
  readonly same: number;
  readonly wrong: readonly string[];
  readonly unreadable: readonly string[];
}

/** An object on a drive. */
export interface Chunk {
  readonly path: string;
  readonly drive: string;
}

export class World {
  readonly dir: string;
  readonly random: Randomness;
  /** What was acknowledged and not deleted since. */
  readonly files: Map<string, Buffer>;

  constructor(dir: string, random: Randomness, files: ReadonlyMap<string, Buffer>) {
    this.dir = dir;
    this.random = random;
    this.files = new Map(files);
  }

  get store(): string {
    return join(this.dir, 's');
  }

  at(...names: string[]): string {
    return join(this.dir, ...names);
  }

  run(...args: string[]): Promise<Ran> {
    return this.runOn(this.store, ...args);
  }

  runOn(store: string, ...args: string[]): Promise<Ran> {
    return pocketful(this.dir, [...args, '--store', `file:${store}`]);
  }

  async doctor(...options: string[]): Promise<Examined> {
    const { code, stdout, stderr } = await this.run('doctor', '--json', ...options);
    let document: DoctorDocument | undefined;
    try {
      const parsed = JSON.parse(stdout) as DoctorDocument & { error?: unknown };
      if (parsed.error === undefined) document = parsed;
    } catch {
      // It did not get so far.
    }
    return { code, document, said: stdout + stderr };
  }

  /** Puts fresh files, as one folder. What is acknowledged counts as stored from then on. */
  async put(folder: string, count: number, bytesMax = 4_000): Promise<Ran> {
    mkdirSync(this.at(folder), { recursive: true });
    const bodies = new Map<string, Buffer>();
    for (let i = 0; i < count; i++) {
      const body = Buffer.from(this.random.bytes(1 + this.random.below(bytesMax)));
      writeFileSync(this.at(folder, `${i}`), body);
      bodies.set(`${folder}/${i}`, body);
    }
    return this.#putFolder(folder, folder, bodies);
  }

  /** Puts everything anew, as it was. The last answer that was not success, if any. */
  async putAgain(): Promise<Ran> {
    const before = new Map(this.files);
    const folders = [...new Set([...before.keys()].map((key) => key.slice(0, key.indexOf('/'))))];
    for (const [key, body] of before) {
      mkdirSync(join(this.at('again', key), '..'), { recursive: true });
      writeFileSync(this.at('again', key), body);
    }
    let last: Ran | undefined;
    for (const folder of folders) {
      const ran = await this.#putFolder(`again/${folder}`, folder, before);
      if (last === undefined || ran.code !== 0) last = ran;
    }
    return last as Ran;
  }

  /** What is answered as stored counts as stored. */
  async #putFolder(path: string, prefix: string, bodies: ReadonlyMap<string, Buffer>): Promise<Ran> {
    const ran = await this.run('put', path, '--prefix', prefix, '--json');
    const { objects = [] } = documentOf<{ objects?: { key: string }[] }>(ran);
    for (const { key } of objects) this.files.set(key, bodies.get(key) as Buffer);
    return ran;
  }

  async delete(count: number): Promise<void> {
    const keys = [...this.files.keys()].filter(() => this.random.below(2) === 0).slice(0, count);
    const { code } = await this.run('rm', ...keys);
    if (code === 0) for (const key of keys) this.files.delete(key);
  }

  /** Reads all that was acknowledged. */
  async readAll(files: ReadonlyMap<string, Buffer> = this.files, path = this.store): Promise<Reading> {
    const wrong: string[] = [];
    const unreadable: string[] = [];
    const store = await openStore(`file:${path}`);
    try {
      for (const [key, expected] of files) {
        try {
          const { body } = await store.get(key);
          const parts: Uint8Array[] = [];
          for await (const part of body) parts.push(part);
          if (!Buffer.concat(parts).equals(expected)) wrong.push(key);
        } catch (error) {
          unreadable.push(`${key}: ${(error as { code?: string }).code ?? (error as Error).message}`);
        }
      }
    } finally {
      await store.close();
    }
    return { same: files.size - wrong.length - unreadable.length, wrong, unreadable };
  }

  /** Objects on the drives, in a fixed order. */
  chunks(drives = join(this.store, 'drives')): Chunk[] {
    const found: Chunk[] = [];
    for (const drive of readdirSync(drives).sort()) {
      if (!statSync(join(drives, drive)).isDirectory()) continue;
      for (const zone of readdirSync(join(drives, drive)).sort()) {
        if (!/^\d+$/.test(zone)) continue;
        for (const generation of readdirSync(join(drives, drive, zone)).sort())
          for (const name of readdirSync(join(drives, drive, zone, generation)).sort())
            found.push({ drive, path: join(drives, drive, zone, generation, name) });
      }
    }
    return found;
  }

  /** Files of the store's directory itself, without those that may come and go. */
  leftovers(): string[] {
    return readdirSync(this.store).filter((name) => /copy|restoring|sorting/.test(name));
  }
}

export function documentOf<T>(ran: Pick<Ran, 'stdout'>): Partial<T> {
  try {
    return JSON.parse(ran.stdout) as T;
  } catch {
    return {};
  }
}

/** The last code that a command named, `(CODE)` on stderr. */
export const codeIn = (text: string): string | undefined => text.match(/\(([A-Z][A-Z0-9_]+)\)\s*$/m)?.[1];

/** Made once; every attack gets a copy. */
export class Base {
  readonly #root: string;
  readonly #files = new Map<string, Buffer>();
  #copies = 0;

  constructor(root: string) {
    this.#root = root;
  }

  /** Sealed and open erasure-coded volumes, and hot ones; nothing deleted: every object on the drives has to be there. */
  async make(seed: number): Promise<void> {
    const world = new World(join(this.#root, `base-${seed}`), new SeededRandomness(seed), new Map());
    mkdirSync(world.dir, { recursive: true });
    writeFileSync(world.at('settings.json'), JSON.stringify(SETTINGS));
    const steps = [
      await world.run('init', '--settings', 'settings.json', '--drives', `${DRIVES}`),
      await world.put('a', 110, 24_000),
      await world.run('encode', '--all'),
      await world.put('b', 60, 24_000),
      await world.run('encode', '--all'),
      await world.put('hot', 30, 6_000),
    ];
    const failed = steps.find(({ code }) => code !== 0);
    if (failed !== undefined) throw new Error(`the store to attack could not be made: ${failed.stderr}`);
    this.#files.clear();
    for (const [key, body] of world.files) this.#files.set(key, body);
  }

  /** A copy to attack. */
  world(seed: number, number: number): World {
    const dir = join(this.#root, `world-${this.#copies++}`);
    mkdirSync(dir);
    cpSync(join(this.#root, `base-${seed}`, 's'), join(dir, 's'), { recursive: true });
    writeFileSync(join(dir, 'settings.json'), JSON.stringify(SETTINGS));
    return new World(dir, new SeededRandomness(seed * 1_000 + number), this.#files);
  }

  end(world: World): void {
    rmSync(world.dir, { recursive: true, force: true });
  }
}
