// Leases that go on from one append to the next (docs/protocols.md, "1 with 3 and 4"): the transaction that commits,
// indexes and settles a group leases the volume anew for this process, so that the append after it begins without a
// transaction of its own. For a server whose puts come one after the other. What is kept is given back when nothing has
// come for a moment; a process that dies leaves what one leaves that dies right after LEASE.
import { isPocketfulError } from '../../foundation/errors.ts';
import { LEASE_MS } from '../../limits/volume.ts';
import type { NextLease } from '../../panda/rows/volume-changes.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Components } from '../rows/components.ts';
import { readVolume } from '../rows/read-rows.ts';
import type { Known } from './choose-open.ts';
import type { KnownVolumes } from './known-volumes.ts';
import { leaseOf } from './lease.ts';

interface Kept {
  readonly token: number;
  readonly sinceMs: number;
}

export class KeptLeases {
  readonly #components: Components;
  readonly #volumes: KnownVolumes;
  /** Only what this very object leased: other parts of the process may have the same owner's name. */
  readonly #kept = new Map<Known, Kept>();
  #forMs = 0;
  #isTending = false;

  constructor(components: Components, volumes: KnownVolumes) {
    this.#components = components;
    this.#volumes = volumes;
  }

  /** From now on, each for so long. */
  begin(forMs: number): void {
    this.#forMs = forMs;
  }

  /** No more, and those there are go back. */
  async end(): Promise<void> {
    this.#forMs = 0;
    await this.#giveBackOlder(0);
  }

  /** What a commit under the lease of this row may lease; undefined: it gives the lease back. */
  after({ token }: VolumeRow): NextLease | undefined {
    if (this.#forMs === 0) return undefined;
    const { clock, owner } = this.#components;
    return { token: token + 1, owner, expiresAtMs: Math.max(0, clock.nowMs() + LEASE_MS) };
  }

  /** The commit took effect. */
  keep(entry: Known, token: number): void {
    this.#kept.set(entry, { token, sinceMs: this.#components.clock.monotonicMs() });
    if (!this.#isTending) void this.#tend();
  }

  /**
   * The volume's row under the lease that was kept, once. Undefined if there is none, or somebody broke it: then it is
   * leased as any other. What others changed in the row meanwhile without the lease is in it.
   */
  async take(entry: Known): Promise<VolumeRow | undefined> {
    const kept = this.#kept.get(entry);
    this.#kept.delete(entry);
    if (kept === undefined || kept.token !== entry.row.token) return undefined;
    const { panda, settings, owner, clock } = this.#components;
    // As before any lease: who may not write any more is to stop early.
    await this.#components.mayWrite?.();
    const now = await readVolume(panda, settings.cell, entry.row.id);
    if (now === undefined || now.token !== kept.token || now.owner !== owner) return undefined;
    if (now.state !== 'open' || now.pendingSeq !== undefined) return undefined;
    return now.expiresAtMs - clock.nowMs() > LEASE_MS / 2 ? now : undefined;
  }

  async #tend(): Promise<void> {
    this.#isTending = true;
    while (this.#kept.size > 0) {
      await this.#components.clock.sleep(Math.max(1, this.#forMs));
      await this.#giveBackOlder(this.#forMs);
    }
    this.#isTending = false;
  }

  async #giveBackOlder(ageMs: number): Promise<void> {
    const nowMs = this.#components.clock.monotonicMs();
    const idle = [...this.#kept].filter(([, { sinceMs }]) => nowMs - sinceMs >= ageMs);
    await Promise.all(idle.map(([entry, { token }]) => this.#giveBack(entry, token)));
  }

  /** If that cannot be had, it runs out. */
  async #giveBack(entry: Known, token: number): Promise<void> {
    this.#kept.delete(entry);
    if (entry.busy || entry.row.token !== token) return;
    entry.busy = true;
    try {
      await leaseOf(this.#components, entry.row, (next) => this.#volumes.free(entry, next)).release();
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
    }
  }
}
