// A drive that fails as told: by a plan (crashes and errors at single calls), by its state (lost, read-only, full), by
// damaged reads and by latency. For tests and the demonstration; the bytes below it stay true.
import type { StorageClass } from '../cost/price-book.ts';
import type { Clock } from '../foundation/clock.ts';
import { type FaultPlan, scriptedPlan, underPlan } from '../foundation/faults.ts';
import type { Randomness } from '../foundation/randomness.ts';
import type { ByteRange, ChunkListing, Drive, ZoneRef } from './drive.ts';
import { zoneKey } from './drive-keys.ts';
import { driveBusy, driveFull, driveReadOnly, driveUnavailable } from './errors.ts';

export type DriveOperation = 'append' | 'read' | 'list' | 'zones' | 'erase' | 'probe';
export type DriveState = 'healthy' | 'lost' | 'read-only' | 'full';

/** Changes what a read returns; `bytes` may be changed in place. */
export type Damage = (bytes: Uint8Array, at: ZoneRef, name: string, range: ByteRange | undefined) => Uint8Array;

export interface DriveFaults {
  readonly plan?: FaultPlan;
  /** Every call waits `latencyMs` on `clock` first. */
  readonly clock?: Clock;
  readonly latencyMs?: number | ((operation: DriveOperation, at: ZoneRef | undefined) => number);
}

export class FaultyDrive implements Drive {
  readonly label: string;
  /** May be changed at any time. */
  state: DriveState = 'healthy';
  /** Applied to every read while set. */
  damage: Damage | undefined;
  readonly #inner: Drive;
  readonly #faults: DriveFaults;

  constructor(inner: Drive, faults: DriveFaults = {}) {
    this.label = inner.label;
    this.#inner = inner;
    this.#faults = faults;
  }

  append(
    at: ZoneRef,
    name: string,
    parts: readonly Uint8Array[],
    signal?: AbortSignal,
    storageClass?: StorageClass,
  ): Promise<void> {
    return this.#call('append', at, name, signal, () => this.#inner.append(at, name, parts, signal, storageClass));
  }

  read(at: ZoneRef, name: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#call('read', at, name, signal, async () => {
      const bytes = await this.#inner.read(at, name, range, signal);
      return this.damage === undefined ? bytes : this.damage(bytes, at, name, range);
    });
  }

  list(at: ZoneRef, signal?: AbortSignal): Promise<ChunkListing[]> {
    return this.#call('list', at, '', signal, () => this.#inner.list(at, signal));
  }

  zones(signal?: AbortSignal): Promise<ZoneRef[]> {
    return this.#call('zones', undefined, '', signal, () => this.#inner.zones(signal));
  }

  erase(at: ZoneRef, signal?: AbortSignal): Promise<void> {
    return this.#call('erase', at, '', signal, () => this.#inner.erase(at, signal));
  }

  probe(signal?: AbortSignal): Promise<void> {
    return this.#call('probe', undefined, '', signal, () => this.#inner.probe(signal));
  }

  async #call<T>(
    operation: DriveOperation,
    at: ZoneRef | undefined,
    name: string,
    signal: AbortSignal | undefined,
    call: () => Promise<T>,
  ): Promise<T> {
    const { plan = HEALTHY, clock, latencyMs = 0 } = this.#faults;
    const detail = at === undefined ? this.label : `${this.label}:${zoneKey(at)}/${name}`;
    const faulted = async (): Promise<T> => {
      const waitMs = typeof latencyMs === 'number' ? latencyMs : latencyMs(operation, at);
      if (waitMs > 0) await clock?.sleep(waitMs, signal);
      this.#assertUsable(operation);
      return call();
    };
    return underPlan(plan, 'drive', operation, detail, faulted, () => driveBusy(this.label, `${operation} failed`));
  }

  #assertUsable(operation: DriveOperation): void {
    const writes = operation === 'append' || operation === 'erase' || operation === 'probe';
    if (this.state === 'lost') throw driveUnavailable(this.label, 'the drive is lost');
    if (this.state === 'read-only' && writes) throw driveReadOnly(this.label);
    if (this.state === 'full' && writes && operation !== 'erase') throw driveFull(this.label);
  }
}

const HEALTHY: FaultPlan = scriptedPlan(() => 'none');

/** Flips one random bit of each read. */
export const bitFlip =
  (randomness: Randomness): Damage =>
  (bytes) => {
    if (bytes.byteLength > 0) {
      const index = randomness.below(bytes.byteLength);
      bytes[index] = (bytes[index] as number) ^ (1 << randomness.below(8));
    }
    return bytes;
  };

/** Cuts each read off at a random length below its own. */
export const truncation =
  (randomness: Randomness): Damage =>
  (bytes) =>
    bytes.slice(0, randomness.below(Math.max(1, bytes.byteLength)));

export const zeroLength: Damage = () => new Uint8Array(0);
