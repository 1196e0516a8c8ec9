// `file:DIR`: the embedded engine behind the face of a store.

import type { Unshipped } from '../../engine/ship/store-journal.ts';
import { addTally } from '../../engine/status/tally.ts';
import { hasLeftovers, recover } from '../../engine/upkeep/end-dead-work.ts';
import { type EmbeddedStore, openEmbedded } from '../../engine/wire/embedded.ts';
import type { StoreDisk } from '../../engine/wire/store-disk.ts';
import type { Clock } from '../../foundation/clock.ts';
import { isKind, isPocketfulError, type PocketfulError } from '../../foundation/errors.ts';
import type { Randomness } from '../../foundation/randomness.ts';
import type { BadRow } from '../../panda/rows/row-reader.ts';
import { infoOf, type ListPage, type ListRequest, type ObjectInfo } from '../../service/service.ts';
import type { EncodePass, EncodeProgress, StoreAdmin, Watch } from '../admin.ts';
import type { ByteRange, DeleteOutcome, OpenBody, PocketfulStore, PutOutcome, PutRequest } from '../face.ts';
import { EmbeddedAdmin } from './embedded-admin.ts';
import { HotRelief } from './hot-relief.ts';

export interface EmbeddedClientOptions {
  readonly namespace: string;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly withoutKeys?: boolean;
}

export async function openEmbeddedClient(dir: string, options: EmbeddedClientOptions): Promise<EmbeddedClient> {
  return new EmbeddedClient(`file:${dir}`, await openEmbedded(dir, options), options.namespace);
}

export class EmbeddedClient implements PocketfulStore {
  readonly address: string;
  readonly namespace: string;
  readonly engine: EmbeddedStore;
  readonly admin: StoreAdmin;
  #recovered: Promise<void> | undefined;

  constructor(address: string, engine: EmbeddedStore, namespace: string) {
    this.address = address;
    this.namespace = namespace;
    this.engine = engine;
    this.admin = new EmbeddedAdmin(engine, namespace, (keepRuns) => this.#recover(keepRuns));
  }

  get badRows(): readonly BadRow[] {
    return this.engine.badRows;
  }

  get unshipped(): Unshipped | undefined {
    return this.engine.unshipped;
  }

  get places(): readonly string[] {
    return [this.engine.path, ...this.engine.components.drives.map(({ label }) => label)];
  }

  /**
   * The first item that finds a disk full is the last that is begun: that one, and those under way, fail with `retry`
   * DISK_FULL.
   */
  async *putAll(items: AsyncIterable<PutRequest> | Iterable<PutRequest>): AsyncGenerator<PutOutcome> {
    const { disk } = this.engine;
    disk.beforePut();
    await this.#recover();
    const { namespace } = this;
    const relief = new HotRelief(this.engine);
    let full: PocketfulError | undefined;
    async function* named() {
      for await (const { key, body, metadata, verify, sizeBytes = 0 } of items) {
        if (full !== undefined) return;
        await relief.before(sizeBytes);
        yield { namespace, key, body, metadata, verify };
      }
    }
    let ingestedBytes = 0;
    try {
      for await (const outcome of this.engine.frontend.putAll(named(), () => relief.relieve())) {
        if (!outcome.ok) {
          if (await isForRoom(disk, outcome.error)) full ??= disk.full(outcome.error);
          yield full === undefined ? outcome : { ...outcome, error: full };
          continue;
        }
        const { key, version, etag, sizeBytes, newBytes } = outcome;
        ingestedBytes += newBytes ?? 0;
        yield { key, ok: true, version, etag, sizeBytes, newBytes };
      }
    } finally {
      await addTally(this.engine.components, { ingestedBytes });
    }
    if (full === undefined) await relief.end();
  }

  /** Here there is nobody else, unless a daemon runs: then there is nothing left to encode. */
  afterPut(watch: Watch<EncodeProgress> = {}): Promise<EncodePass> {
    return this.admin.encode(watch);
  }

  async sync(): Promise<void> {
    await this.engine.journal?.shipNow();
  }

  async get(key: string, range?: ByteRange): Promise<OpenBody> {
    const { object, body } = await this.engine.frontend.get(this.namespace, key, range);
    return { object: infoOf(object), body };
  }

  async head(key: string): Promise<ObjectInfo> {
    return infoOf(await this.engine.frontend.head(this.namespace, key));
  }

  async list({ prefix, delimiter, from, limit }: ListRequest): Promise<ListPage> {
    const page = await this.engine.frontend.list({
      namespace: this.namespace,
      ...(prefix === undefined ? {} : { prefix }),
      ...(delimiter === undefined ? {} : { delimiter }),
      ...(from === undefined ? {} : { from }),
      ...(limit === undefined ? {} : { limit }),
    });
    const { commonPrefixes, damaged, next } = page;
    return {
      objects: page.objects.map(infoOf),
      commonPrefixes,
      next,
      ...(damaged.length === 0 ? {} : { damaged }),
    };
  }

  async *deleteAll(keys: AsyncIterable<string> | Iterable<string>): AsyncGenerator<DeleteOutcome> {
    const { namespace } = this;
    const { disk } = this.engine;
    async function* named() {
      for await (const key of keys) yield { namespace, key };
    }
    await disk.beforeFreeing('deletes');
    try {
      await this.#recover();
      yield* this.engine.frontend.deleteAll(named());
    } finally {
      disk.afterFreeing('deletes');
    }
  }

  close(): Promise<void> {
    return this.engine.close();
  }

  /** Before the first change: what a process that died left behind is brought to an end. */
  async #recover(keepRuns = false): Promise<void> {
    // Compaction may yet refuse its plan, and has changed nothing then: it begins with its first claim or lease.
    if (keepRuns) await this.engine.checkWriting();
    else await this.engine.beginWriting();
    if (keepRuns) return recoverIfNeeded(this.engine, true);
    this.#recovered ??= recoverIfNeeded(this.engine);
    return this.#recovered;
  }
}

/** A disk that is full shows as drives that cannot be written, too. */
const isForRoom = async (disk: StoreDisk, error: Error): Promise<boolean> =>
  isPocketfulError(error) &&
  isKind(error, 'retry', 'unknown') &&
  (error.code === 'PANDA_FULL' || (await disk.isFull()));

async function recoverIfNeeded({ volumes, frontend }: EmbeddedStore, keepRuns = false): Promise<void> {
  if (!(await hasLeftovers(volumes))) return;
  try {
    await recover(volumes, frontend, { keepRuns });
  } catch (error) {
    // What cannot be done now waits for the next time; none of it is in the way of what follows.
    if (!isPocketfulError(error)) throw error;
  }
}
