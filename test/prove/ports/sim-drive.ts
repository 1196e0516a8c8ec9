// A drive as one process sees it.
import type { ByteRange, ChunkListing, Drive, ZoneRef } from '../../../lib/drive/drive.ts';
import { zoneKey } from '../../../lib/drive/drive-keys.ts';
import { driveBusy } from '../../../lib/drive/errors.ts';
import type { SimProcess } from '../scheduler/sim-process.ts';
import type { Disk } from './disk.ts';
import { type CallContext, makeCall } from './port-call.ts';

export class SimDrive implements Drive {
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

  append(at: ZoneRef, name: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    // What is written is what it was when the call was made.
    const bytes = [new Uint8Array(Buffer.concat(parts))];
    return this.#call('append', `${zoneKey(at)}/${name}`, () => this.#disk.append(at, name, bytes, signal), {
      changesSomething: true,
      tear: () => this.#disk.tear(at, name, bytes, this.#process.fate),
    });
  }

  read(at: ZoneRef, name: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    const part = range === undefined ? '' : ` ${range.offset}+${range.length}`;
    return this.#call('read', `${zoneKey(at)}/${name}${part}`, () => this.#disk.read(at, name, range, signal));
  }

  list(at: ZoneRef, signal?: AbortSignal): Promise<ChunkListing[]> {
    return this.#call('list', zoneKey(at), () => this.#disk.list(at, signal));
  }

  zones(signal?: AbortSignal): Promise<ZoneRef[]> {
    return this.#call('zones', '', () => this.#disk.zones(signal));
  }

  erase(at: ZoneRef, signal?: AbortSignal): Promise<void> {
    return this.#call('erase', zoneKey(at), () => this.#disk.erase(at, signal), { changesSomething: true });
  }

  probe(signal?: AbortSignal): Promise<void> {
    return this.#call('probe', '', () => this.#disk.probe(signal));
  }

  #call<T>(
    operation: string,
    detail: string,
    act: () => Promise<T>,
    more: { readonly changesSomething?: boolean; readonly tear?: () => void } = {},
  ): Promise<T> {
    return makeCall(this.#context, this.#process, {
      port: 'drive',
      operation,
      detail: `${this.label}:${detail}`,
      steps: [`drive ${operation}`],
      changesSomething: false,
      ...more,
      act,
      failed: () => driveBusy(this.label, `${operation} failed (simulated)`),
    });
  }
}
