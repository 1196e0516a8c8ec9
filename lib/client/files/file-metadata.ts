// Mode and time of change of a file, as the metadata of its object:
// {"mode":420,"mtimeMs":1700000000123,"mtimeNs":456789}.
import type { FoundStats } from './same-file.ts';

export interface FileMetadata {
  readonly mode?: number;
  readonly mtimeMs?: number;
  /** Nanoseconds to be added to `mtimeMs`, 0 to 999,999. */
  readonly mtimeNs?: number;
}

const NS_PER_MS = 1_000_000n;

export function metadataText({ mode, mtimeNs }: Pick<FoundStats, 'mode' | 'mtimeNs'>): string {
  const restNs = ((mtimeNs % NS_PER_MS) + NS_PER_MS) % NS_PER_MS; // before 1970 too, counted upwards
  const metadata: FileMetadata = {
    mode: Number(mode) & 0o777,
    mtimeMs: Number((mtimeNs - restNs) / NS_PER_MS),
    ...(restNs === 0n ? {} : { mtimeNs: Number(restNs) }),
  };
  return JSON.stringify(metadata);
}

/** What `metadataText` wrote, if the metadata is that; anything else is somebody's own. */
export function fileMetadataOf(metadata: string | undefined): FileMetadata {
  if (metadata === undefined) return {};
  try {
    const parsed: unknown = JSON.parse(metadata);
    if (typeof parsed !== 'object' || parsed === null) return {};
    const { mode, mtimeMs, mtimeNs } = parsed as Record<string, unknown>;
    const isRest = Number.isInteger(mtimeNs) && (mtimeNs as number) > 0 && BigInt(mtimeNs as number) < NS_PER_MS;
    return {
      ...(Number.isInteger(mode) ? { mode: (mode as number) & 0o777 } : {}),
      ...(Number.isSafeInteger(mtimeMs) ? { mtimeMs: mtimeMs as number } : {}),
      ...(Number.isSafeInteger(mtimeMs) && isRest ? { mtimeNs: mtimeNs as number } : {}),
    };
  } catch {
    return {};
  }
}

/** Nanoseconds since 1970; undefined if the metadata says no time. */
export function changedAtNs({ mtimeMs, mtimeNs = 0 }: FileMetadata): bigint | undefined {
  return mtimeMs === undefined ? undefined : BigInt(mtimeMs) * NS_PER_MS + BigInt(mtimeNs);
}
