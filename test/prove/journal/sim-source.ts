// The journal as one process sees it: its source, and the shelves of the drives.
import type { ByteRange } from '../../../lib/drive/drive.ts';
import { driveBusy } from '../../../lib/drive/errors.ts';
import type { Shelf, ShelfEntry } from '../../../lib/drive/shelf.ts';
import { retryLater } from '../../../lib/foundation/errors.ts';
import type { JournalSource, JournalView, ShippedTo } from '../../../lib/panda/journal-source.ts';
import type { Disk } from '../ports/disk.ts';
import { type CallContext, makeCall } from '../ports/port-call.ts';
import type { SimProcess } from '../scheduler/sim-process.ts';
import type { CommitLog } from './commit-log.ts';

export class SimSource implements JournalSource {
  readonly #log: CommitLog;
  readonly #process: SimProcess;
  readonly #context: CallContext;

  constructor(log: CommitLog, process: SimProcess, context: CallContext) {
    this.#log = log;
    this.#process = process;
    this.#context = context;
  }

  look(): Promise<JournalView> {
    return this.#call('look', false, () => this.#log.look());
  }

  /** As in SQLite: a COMMIT's number is its own. */
  async claim(): Promise<boolean> {
    return true;
  }

  async letGo(): Promise<void> {}

  advance(before: ShippedTo | undefined, next: ShippedTo): Promise<boolean> {
    return this.#call('advance', true, () => this.#log.advance(before, next));
  }

  /** No row is damaged here. */
  async passOver(): Promise<void> {}

  beginTending(owner: string, isGone: (owner: string) => boolean): Promise<boolean> {
    return this.#call('begin', true, () => this.#log.beginTending(owner, isGone));
  }

  endTending(owner: string): Promise<void> {
    return this.#call('end', true, () => this.#log.endTending(owner));
  }

  close(): void {}

  #call<T>(operation: string, changesSomething: boolean, act: () => T): Promise<T> {
    return makeCall(this.#context, this.#process, {
      ...{ port: 'panda', operation, detail: 'journal', steps: [`journal ${operation}`], changesSomething },
      act: async () => act(),
      failed: () => retryLater('PANDA_BUSY', `${operation} of the journal failed (simulated)`),
    });
  }
}

export class SimShelf implements Shelf {
  readonly label: string;
  readonly #disk: Disk;
  readonly #process: SimProcess;
  readonly #context: CallContext;

  constructor(disk: Disk, process: SimProcess, context: CallContext) {
    this.label = disk.label;
    this.#disk = disk;
    this.#process = process;
    this.#context = context;
  }

  put(epoch: number, name: string, parts: readonly Uint8Array[]): Promise<void> {
    const bytes = [new Uint8Array(Buffer.concat(parts))];
    return this.#call('put', name, true, () => this.#disk.shelf(true, true).put(epoch, name, bytes));
  }

  read(epoch: number, name: string, range?: ByteRange): Promise<Uint8Array> {
    return this.#call('read', name, false, () => this.#disk.shelf().read(epoch, name, range));
  }

  list(): Promise<ShelfEntry[]> {
    return this.#call('list', '', false, () => this.#disk.shelf().list());
  }

  remove(epoch: number, names: readonly string[]): Promise<void> {
    return this.#call('remove', names.join(), true, () => this.#disk.shelf(true).remove(epoch, names));
  }

  #call<T>(operation: string, detail: string, changesSomething: boolean, act: () => Promise<T>): Promise<T> {
    return makeCall(this.#context, this.#process, {
      ...{ port: 'drive', operation: `shelf ${operation}`, detail: `${this.label}:${detail}` },
      ...{ steps: [`shelf ${operation}`], changesSomething },
      act: async () => act(),
      failed: () => driveBusy(this.label, `${operation} failed (simulated)`),
    });
  }
}
