// `file:DIR`: the embedded engine behind the face of a store.

import type { Unshipped } from '../../engine/ship/store-journal.ts';
import type { EmbeddedStore } from '../../engine/wire/embedded/embedded-store.ts';
import { openEmbedded } from '../../engine/wire/embedded.ts';
import { filesSeenPath } from '../../engine/wire/store-layout.ts';
import type { Clock } from '../../foundation/clock.ts';
import { isPocketfulError } from '../../foundation/errors.ts';
import type { ObjectVersion } from '../../foundation/ids.ts';
import type { Randomness } from '../../foundation/randomness.ts';
import type { ListPage as FrontendPage } from '../../frontend/frontend.ts';
import type { BadRow } from '../../panda/rows/row-reader.ts';
import { infoOf, type ListPage, type ListRequest, type ObjectInfo } from '../../service/object-info.ts';
import type { EncodePass, EncodeProgress, StoreAdmin, Watch } from '../admin.ts';
import type {
  ByteRange,
  DeleteOutcome,
  OpenBody,
  PocketfulStore,
  PutOutcome,
  PutRequest,
  Remembering,
  TreePart,
  TreeRequest,
} from '../face.ts';
import { itemIn } from '../object-engine.ts';
import type { EmbeddedObjects } from './embedded-objects.ts';
import { lazyAdmin } from './lazy-admin.ts';

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
    this.admin = lazyAdmin(async () => {
      const { EmbeddedAdmin } = await import('./embedded-admin.ts');
      return new EmbeddedAdmin(engine, namespace, (keepRuns) => this.#recover(keepRuns));
    });
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

  get remembering(): Remembering {
    const { namespace } = this;
    const { frontend, path } = this.engine;
    return {
      directory: filesSeenPath(path),
      confirm: async (remembered) => {
        const named = remembered.map(({ key, version }) => ({ namespace, key, version: version as ObjectVersion }));
        return (await frontend.confirm(named)).map((row) => row && infoOf(row));
      },
    };
  }

  async *putAll(items: AsyncIterable<PutRequest> | Iterable<PutRequest>): AsyncGenerator<PutOutcome> {
    const { namespace } = this;
    const objects = await this.objects();
    async function* named() {
      for await (const item of items) yield itemIn(namespace, item);
    }
    let isFull = false;
    try {
      for await (const outcome of objects.putAll(named())) {
        if (!outcome.ok) {
          isFull ||= isPocketfulError(outcome.error) && outcome.error.code === 'DISK_FULL';
          yield outcome;
          continue;
        }
        const { key, version, etag, sizeBytes, newBytes } = outcome;
        yield { key, ok: true, version, etag, sizeBytes, newBytes };
      }
    } finally {
      await objects.tally();
    }
    if (!isFull) await objects.relieved();
  }

  async objects(): Promise<EmbeddedObjects> {
    const { EmbeddedObjects } = await import('./embedded-objects.ts');
    return new EmbeddedObjects(this.engine, () => this.#recover());
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

  async *readTree({ prefix, isTogether, damaged }: TreeRequest): AsyncGenerator<TreePart> {
    const { frontend } = this.engine;
    const { namespace } = this;
    async function* named() {
      for (let from: string | undefined = prefix; from !== undefined; ) {
        const page: FrontendPage = await frontend.list({ namespace, prefix, from });
        yield* page.objects;
        for (const one of page.damaged) damaged(one);
        from = page.next;
      }
    }
    for await (const part of frontend.readTogether(named(), (object) => isTogether(infoOf(object)))) {
      if (part.kind === 'alone') yield { kind: 'alone', objects: part.objects.map(infoOf) };
      else yield { ...part, objects: part.objects.map((one) => ({ ...one, object: infoOf(one.object) })) };
    }
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
    async function* named() {
      for await (const key of keys) yield { namespace, key };
    }
    yield* (await this.objects()).deleteAll(named());
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

async function recoverIfNeeded({ volumes, frontend }: EmbeddedStore, keepRuns = false): Promise<void> {
  const { hasLeftovers, recover } = await import('../../engine/upkeep/end-dead-work.ts');
  if (!(await hasLeftovers(volumes))) return;
  try {
    await recover(volumes, frontend, { keepRuns });
  } catch (error) {
    // What cannot be done now waits for the next time; none of it is in the way of what follows.
    if (!isPocketfulError(error)) throw error;
  }
}
