// kill -9 of processes that work on one store, at random moments. After each, the store is opened anew, recovered, counted again, and
// every name is read: what was acknowledged is there byte for byte, what was deleted is not, the rest is as it was or as it was to be.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { recover } from '../../lib/engine/upkeep/end-dead-work.ts';
import type { EmbeddedStore } from '../../lib/engine/wire/embedded/embedded-store.ts';
import { createEmbedded } from '../../lib/engine/wire/embedded.ts';
import { systemClock } from '../../lib/foundation/clock.ts';
import { isKind } from '../../lib/foundation/errors.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { repairStore } from '../../lib/volume/repair/repair-store.ts';
import { expectSound } from '../store/recount.ts';
import { bodyOf } from './body.ts';
import { Sickbed } from './sickbed.ts';
import { DRIVES, SMALL, withStore } from './small-store.ts';

const VICTIM = fileURLToPath(new URL('victim.ts', import.meta.url));
const GONE = '-';
const ALIVE_MS_MAX = 1_200;
const STEP_MS_MAX = 180_000;
/** Only now and then, so that victims meet what others left. */
const KILLS_A_REPAIR = 8;

/** What each name may hold now: body ids, GONE for nothing. One of them once everything about it was acknowledged. */
export class Ledger {
  readonly #may = new Map<string, Set<string>>();
  acknowledged = 0;

  takeIn(lines: readonly string[]): void {
    for (const line of lines) {
      const [verb, key = '', body = GONE] = line.split(' ');
      if (verb === 'put') this.#of(key).add(body);
      if (verb !== 'did') continue;
      this.#may.set(key, new Set([body]));
      this.acknowledged += 1;
    }
  }

  /** Reads every name, and from then on knows what it is. */
  async check(store: EmbeddedStore, when: string): Promise<void> {
    for (const [key, may] of this.#may) {
      const found = await store.frontend.read('default', key, 1e6).catch((error: unknown) => {
        if (isKind(error, 'missing')) return undefined;
        throw new Error(`${when}: ${key} cannot be read: ${(error as Error).message}`, { cause: error });
      });
      const fits = [...may].find((body) =>
        body === GONE ? found === undefined : found !== undefined && Buffer.compare(bodyOf(body), found) === 0,
      );
      if (fits === undefined) expect.fail(`${when}: ${key} holds none of ${[...may].join(', ')}`);
      this.#may.set(key, new Set([fits]));
    }
  }

  #of(key: string): Set<string> {
    const known = this.#may.get(key) ?? new Set([GONE]);
    this.#may.set(key, known);
    return known;
  }
}

class Victim {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #out = '';
  #err = '';

  constructor(dir: string, seed: number, role: readonly string[]) {
    this.#child = spawn(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      VICTIM,
      dir,
      String(seed),
      ...role,
    ]);
    // Asked for at once: a victim that dies by itself has closed before anybody kills it.
    this.#closed = once(this.#child, 'close');
    this.#child.stdout?.on('data', (bytes: Buffer) => {
      this.#out += bytes;
    });
    this.#child.stderr?.on('data', (bytes: Buffer) => {
      this.#err += bytes;
    });
  }

  async ready(): Promise<void> {
    while (!this.#out.includes('ready\n') && !this.#isDead) await systemClock.sleep(5);
  }

  /** Its whole lines; the last one may have been cut off, then it was not acknowledged. */
  async kill(): Promise<string[]> {
    const diedFirst = this.#isDead;
    this.#child.kill('SIGKILL');
    await this.#closed;
    const last = this.#out.slice(-200);
    expect(this.#err, `a victim only dies when it is killed; its last words: ${last}`).toBe('');
    expect(diedFirst, `a victim died by itself: ${this.#child.exitCode ?? this.#child.signalCode}; ${last}`).toBe(
      false,
    );
    return this.#out.slice(0, this.#out.lastIndexOf('\n') + 1).split('\n');
  }

  get #isDead(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}

/** Whatever waits for ever is named, minutes before the test runner gives up. */
async function within<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not done after ${STEP_MS_MAX / 1000} s`)), STEP_MS_MAX);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

export interface KillOptions {
  readonly aliveMsMax?: number;
  /** Drives are lost or emptied all the while, and the victims repair. */
  readonly repair?: boolean;
}

/** The number of changes that were acknowledged. */
export async function killOften(
  dir: string,
  kills: number,
  seed: number,
  { aliveMsMax = ALIVE_MS_MAX, repair = false }: KillOptions = {},
): Promise<number> {
  const random = new SeededRandomness(seed);
  await (await createEmbedded(dir, { settings: SMALL, drives: DRIVES })).close();
  const ledger = new Ledger();
  const sickbed = new Sickbed(random);
  for (let done = 0; done < kills; ) {
    // Two at once every third time: one is killed a little later, while the other's work is left half done.
    const victims = Array.from(
      { length: done % 3 === 2 ? 2 : 1 },
      (_, i) => new Victim(dir, seed * 1000 + done * 2 + i, repair ? ['repair'] : []),
    );
    for (const victim of victims) await within(`seed ${seed}, kill ${done}: start of a victim`, victim.ready());
    for (const victim of victims) {
      await systemClock.sleep(random.below(aliveMsMax));
      ledger.takeIn(await victim.kill());
      done += 1;
    }
    const when = `seed ${seed}, after kill ${done}`;
    await withStore(dir, async (store) => {
      await within(`${when}: recovery`, recover(store.volumes, store.frontend, { sweep: true }));
      await within(`${when}: reading`, ledger.check(store, when));
      await within(`${when}: the recount`, expectSound(store, sickbed.lost, { awaitsRepair: repair }));
      if (repair && (done % KILLS_A_REPAIR === 0 || done >= kills)) {
        await within(`${when}: a repair`, repairStore(store.volumes));
        await within(`${when}: the recount after a repair`, expectSound(store, sickbed.lost));
      }
      if (repair) await within(`${when}: a drive`, sickbed.visit(store));
    });
  }
  if (repair)
    expect(sickbed.healed, `seed ${seed}: drives that were lost or emptied, and are whole again`).toBeGreaterThan(0);
  return ledger.acknowledged;
}
