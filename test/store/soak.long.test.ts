// Seeded runs of everything at once: processes put, delete, collect, encode, drain, pack and merge while drives come and go, bytes rot, Panda
// is busy and processes die. Nothing acknowledged is ever lost or wrong. SOAK_SEED replays one run, SOAK_RUNS sets how many.
import { describe, expect, it } from 'vitest';
import { drain } from '../../lib/compaction/do/drain.ts';
import { compact } from '../../lib/compaction/do/rounds.ts';
import { FaultyDrive } from '../../lib/drive/faulty-drive.ts';
import { recover } from '../../lib/engine/upkeep/end-dead-work.ts';
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import { Crash, type FaultMode, scriptedPlan } from '../../lib/foundation/faults.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { Frontend } from '../../lib/frontend/frontend.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { LiveCoder } from '../../lib/live-coder/live-coder.ts';
import { FaultyPanda } from '../../lib/panda/faulty-panda.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { batchesOf } from '../compaction/acting-world.ts';
import { MERGE_ONLY } from '../compaction/merge-world.ts';
import { besideEachOther, Model } from './crash.ts';
import { type Process, World } from './harness.ts';
import { expectSound } from './recount.ts';

const KIB = 1024;
const SETTINGS = settingsOf('demo', {
  preset: 'custom',
  blockBytesMax: KIB,
  extentBytes: 64 * KIB,
  bucketBytes: 4 * KIB,
  slotsPerBucketMax: 256,
  groupBytesMin: 24 * KIB,
  warmCodec: 'rs-6-3',
  openVolumes: 2,
});
const RUNS = Number(process.env['SOAK_RUNS'] ?? 120);
const FIRST_SEED = Number(process.env['SOAK_SEED'] ?? Date.now() % 1_000_000);
const STEPS = 40;

/** Errors now and then, a death rarely; a dead process makes no further call. */
function faults(random: SeededRandomness) {
  let isDead = false;
  const plan = scriptedPlan((): FaultMode => {
    if (isDead) return 'before';
    const draw = random.below(2000);
    if (draw < 2) {
      isDead = true;
      return draw === 0 ? 'before' : 'after';
    }
    return draw < 12 ? 'before-error' : draw < 22 ? 'after-error' : 'none';
  });
  return { plan, isDead: () => isDead };
}

class Soak {
  readonly random: SeededRandomness;
  readonly world: World;
  readonly model = new Model();
  readonly drives: FaultyDrive[];
  #process: { p: Process; isDead: () => boolean } | undefined;

  constructor(seed: number) {
    this.random = new SeededRandomness(seed);
    this.world = new World(seed, SETTINGS, 12);
    this.drives = this.world.drives.map((drive) => new FaultyDrive(drive));
  }

  process(): { p: Process; isDead: () => boolean } {
    if (this.#process === undefined || this.#process.isDead()) {
      const { plan, isDead } = faults(this.random);
      const bare = this.world.start({ othersDead: true });
      const components = {
        ...bare.components,
        drives: this.drives.map((drive) => new FaultyDrive(drive, { plan })),
        panda: new FaultyPanda(this.world.panda, plan),
      };
      const volumes = new VolumeStore(components);
      this.#process = { p: { components, volumes, frontend: new Frontend(volumes) }, isDead };
    }
    return this.#process;
  }

  async step(): Promise<void> {
    const { p } = this.process();
    this.world.clock.advance(this.random.below(20_000));
    if (this.random.below(20) === 0) this.world.clock.jumpTo(this.world.clock.nowMs() - 3_600_000);
    this.#breakSomething();
    try {
      await this.#act(p, this.random.below(15));
    } catch (error) {
      if (!(error instanceof Crash) && !isPocketfulError(error)) throw error;
    }
  }

  /** At most two drives of twelve are away at once, and one lies: less than rs-6-3 and replica-4 survive. */
  #breakSomething(): void {
    for (const drive of this.drives) if (this.random.below(4) === 0) drive.state = 'healthy';
    const away = this.drives.filter((drive) => drive.state !== 'healthy').length;
    if (away < 2 && this.random.below(3) === 0)
      (this.drives[this.random.below(12)] as FaultyDrive).state =
        (['lost', 'read-only', 'full'] as const)[this.random.below(3)] ?? 'lost';
  }

  async #act(p: Process, what: number): Promise<void> {
    if (what < 5) return this.#put(p);
    if (what < 8) return this.#delete(p);
    if (what === 8) await collectGarbage(p.components);
    if (what === 9) {
      await p.volumes.open.sealAll('hot');
      await encodeHot(p.volumes, { force: true, flush: this.random.below(2) === 0 });
    }
    if (what === 10)
      await drain(p.volumes, (run, moved) => new LiveCoder(p.volumes, run, moved), { fillPermilleMax: 900 });
    if (what === 12)
      await compact(batchesOf(p), { settings: { strategies: ['l1', 'l2'], minFill: 0.2, l3UpTo: 0.09 } });
    if (what > 12) await this.#mergeBeside(p);
    if (what === 11) {
      await recover(p.volumes, p.frontend, { sweep: this.random.below(2) === 0 });
      await freeTrash(p.volumes);
    }
  }

  /** Merges while the same blocks are put and deleted. */
  async #mergeBeside(p: Process): Promise<void> {
    const writes = async (): Promise<void> => {
      await this.#put(p);
      await this.#delete(p);
    };
    await besideEachOther(compact(batchesOf(p), MERGE_ONLY), writes());
  }

  async #put(p: Process): Promise<void> {
    const files = new Map<string, Uint8Array>();
    for (let i = 0; i <= this.random.below(8); i++) {
      const bytes = this.random.below(6) === 0 ? this.random.below(30 * KIB) : this.random.below(2 * KIB);
      files.set(`f${this.random.below(60)}`, new SeededRandomness(this.random.below(40)).bytes(bytes));
    }
    for (const [key, body] of files) this.model.begin(key, body);
    for await (const outcome of p.frontend.putAll(
      [...files].map(([key, body]) => ({ namespace: 'default', key, body })),
    ))
      if (outcome.ok) this.model.put(outcome.key, files.get(outcome.key) as Uint8Array);
  }

  async #delete(p: Process): Promise<void> {
    const keys = [...new Set(Array.from({ length: 1 + this.random.below(6) }, () => `f${this.random.below(60)}`))];
    for (const key of keys) this.model.begin(key, undefined);
    for await (const outcome of p.frontend.deleteAll(keys.map((key) => ({ namespace: 'default', key }))))
      if (
        outcome.ok ||
        (isPocketfulError(outcome.error) &&
          outcome.error.code === 'OBJECT_MISSING' &&
          this.model.there.get(outcome.key) === undefined)
      )
        this.model.delete(outcome.key);
  }

  /** All drives back, a new process: everything is there, sound, and nothing is left over. */
  async end(): Promise<void> {
    for (const drive of this.drives) drive.state = 'healthy';
    this.world.clock.advance(120_000);
    const p = this.world.start({ othersDead: true });
    await recover(p.volumes, p.frontend, { sweep: true });
    await this.model.expectIn(p);
    await expectSound(p);
  }
}

describe('everything at once', () => {
  it(`loses nothing in ${RUNS} seeded runs from SOAK_SEED=${FIRST_SEED}`, async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
      const soak = new Soak(seed);
      try {
        for (let i = 0; i < STEPS; i++) await soak.step();
        await soak.end();
      } catch (error) {
        if (error instanceof Error) error.message = `SOAK_SEED=${seed} SOAK_RUNS=1: ${error.message}`;
        throw error;
      }
    }
    expect(RUNS).toBeGreaterThan(0);
  });
});
