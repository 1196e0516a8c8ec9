// What a put says at its end.
import type { PutReport } from '../../../lib/client/face.ts';
import type { SkipReason } from '../../../lib/client/files/walk-tree.ts';
import type { ItemFailures } from '../items.ts';
import { bytesText, countOf, countText, secondsText } from './text.ts';

export interface Skipped {
  readonly name: string;
  readonly reason: SkipReason;
}

export const SKIPPED: Readonly<Record<SkipReason, string>> = {
  symlink: 'symlink, not followed',
  device: 'device, not followed',
  socket: 'socket, not followed',
  pipe: 'pipe, not followed',
  other: 'other, not followed',
  store: 'holds a Pocketful store, not walked into (--include-stores does)',
  drive: 'is a drive of a Pocketful store, not walked into (--include-stores does)',
  keys: 'holds the keys of a store, which are never kept in one',
};

export interface PutDone {
  /** Files. */
  readonly stored: number;
  /** Of these: they were not read. */
  readonly unchanged: number;
  readonly bytes: number;
  readonly newBytes: number;
  readonly encodedBytes: number | undefined;
  readonly elapsedMs: number;
  readonly isInterrupted: boolean;
  readonly skipped: readonly Skipped[];
  readonly failures: ItemFailures;
}

/** But for its `objects`. */
export function putDocument(done: PutDone): object {
  return {
    stored: done.stored,
    unchanged: done.unchanged,
    bytes: done.bytes,
    newBytes: done.newBytes,
    ...(done.encodedBytes === undefined ? {} : { encodedBytes: done.encodedBytes }),
    seconds: Math.round(done.elapsedMs) / 1000,
    interrupted: done.isInterrupted,
    skipped: done.skipped,
    failed: done.failures.list,
  };
}

/** As it stands among `objects`. */
export const putObject = ({ key, version, etag, sizeBytes, newBytes }: PutReport): object => ({
  key,
  version,
  etag,
  sizeBytes,
  ...(newBytes === undefined ? {} : { newBytes }),
});

export function putText(done: PutDone): string {
  const { stored, unchanged, bytes, newBytes, elapsedMs, skipped, failures } = done;
  const perSecond = (amount: number): number => (amount * 1000) / Math.max(1, elapsedMs);
  return [
    `stored ${countOf(stored, 'file')}`,
    unchanged > 0 ? `, of these ${countText(unchanged)} unchanged` : '',
    `, ${bytesText(bytes)} (${bytesText(newBytes)} new) in ${secondsText(elapsedMs)}: `,
    `${countText(Math.round(perSecond(stored)))} files/s, ${bytesText(perSecond(bytes))}/s`,
    skipped.length > 0 ? `; skipped ${countText(skipped.length)}` : '',
    failures.list.length > 0 ? `; failed ${countText(failures.list.length)}` : '',
    failures.isStopped ? ', and nothing after them was tried' : '',
  ].join('');
}
