// Doctor's look at where things are, by the rows alone: buckets in their volumes, zones of extents.
import type { BucketId } from '../../foundation/ids.ts';
import { FINDING_NAMES_MAX } from '../../limits/engine.ts';
import type { BucketRow } from '../../panda/rows/bucket-row.ts';
import type { DiscardRow } from '../../panda/rows/drives/discard-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { ZoneRow } from '../../panda/rows/zone-row.ts';
import type { Findings } from '../../verify/findings.ts';

export interface Places {
  readonly volumes: ReadonlyMap<string, VolumeRow>;
  readonly buckets: readonly BucketRow[];
  /** What the blocks in each bucket add up to. */
  readonly liveBytes: ReadonlyMap<BucketId, number>;
  readonly zones: readonly { readonly drive: number; readonly zone: ZoneRow }[];
  readonly discards: readonly DiscardRow[];
  /** Drives that are lost or retired. */
  readonly gone: ReadonlySet<number>;
}

export function judgeBuckets({ buckets, volumes, liveBytes }: Places, findings: Findings): void {
  const known = new Set<BucketId>();
  for (const bucket of buckets) {
    known.add(bucket.id);
    const volume = volumes.get(bucket.volume);
    if (volume === undefined)
      findings.add('lost', 'bucket', `bucket ${bucket.id} is in volume ${bucket.volume}, which is gone`);
    else if (!volume.buckets.has(bucket.id))
      findings.add('wrong', 'bucket', `volume ${volume.id} does not list bucket ${bucket.id}, which is in it`);
    const named = liveBytes.get(bucket.id) ?? 0;
    // Slots of a group that is being indexed are live before a block names them.
    const isSettled = volume?.pendingSeq === undefined;
    if (isSettled ? named !== bucket.liveBytes : named > bucket.liveBytes)
      findings.add(
        'wrong',
        'live-bytes',
        `bucket ${bucket.id} counts ${bucket.liveBytes} live bytes, its blocks have ${named}`,
      );
  }
  for (const id of liveBytes.keys())
    if (!known.has(id)) findings.add('lost', 'bucket', `blocks name bucket ${id}, which is gone`);
  for (const volume of volumes.values())
    for (const id of volume.buckets)
      if (!known.has(id)) findings.add('wrong', 'bucket', `volume ${volume.id} lists bucket ${id}, which is gone`);
}

export function judgeZones({ volumes, zones, discards, gone }: Places, findings: Findings): void {
  const holders = new Map<string, { readonly id: string }>();
  for (const volume of volumes.values())
    for (const { drive, zone } of [
      ...volume.extents,
      ...(volume.next?.extents ?? []),
      ...(volume.repair?.extents.values() ?? []),
    ])
      holders.set(`${drive}/${zone}`, volume);
  // Replaced by a repair, or claimed for one and given up.
  for (const { drive, zone, volume } of discards) holders.set(`${drive}/${zone}`, { id: volume });
  let named = 0;
  for (const { drive, zone } of zones) {
    const place = `${drive}/${zone.zone}`;
    const holder = holders.get(place);
    holders.delete(place);
    // On a drive that is not coming back it waits for that: nobody erases it meanwhile.
    if (holder === undefined && zone.state === 'erasing' && gone.has(drive)) continue;
    const expected = zone.state === 'free' ? undefined : zone.volume;
    if (holder?.id !== expected && named++ < FINDING_NAMES_MAX)
      findings.add(
        'wrong',
        'zone',
        `zone ${place} is ${zone.state} for ${expected ?? 'nobody'}, but an extent of ${holder?.id ?? 'nobody'}`,
      );
  }
  for (const [place, { id }] of holders)
    findings.add('wrong', 'zone', `volume ${id} has an extent on zone ${place}, which has no row`);
}
