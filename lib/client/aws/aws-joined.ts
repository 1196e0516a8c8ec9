// What a function answered in several calls, as one report.
import { joined, type VerifyReport } from '../../engine/upkeep/verify.ts';
import { addedScrubs } from '../../journal/scrub-ladder.ts';
import type { RepairReport } from '../../volume/repair/repair-store.ts';

/** What two calls looked at, one after the other. */
export function added(one: VerifyReport, next: VerifyReport): VerifyReport {
  const scrub =
    one.scrub === undefined || next.scrub === undefined
      ? (next.scrub ?? one.scrub)
      : {
          ...next.scrub,
          volumes: one.scrub.volumes + next.scrub.volumes,
          groups: one.scrub.groups + next.scrub.groups,
          objects: one.scrub.objects + next.scrub.objects,
          bytes: one.scrub.bytes + next.scrub.bytes,
          unread: one.scrub.unread + next.scrub.unread,
          damage: [...one.scrub.damage, ...next.scrub.damage],
          moreDamage: one.scrub.moreDamage + next.scrub.moreDamage,
        };
  const index =
    one.index === undefined || next.index === undefined
      ? (next.index ?? one.index)
      : {
          ...next.index,
          blocks: one.index.blocks + next.index.blocks,
          volumes: one.index.volumes + next.index.volumes,
          unread: one.index.unread + next.index.unread,
          faults: [...one.index.faults, ...next.index.faults],
        };
  return { ...joined(one, next), scrub, index };
}

export function joinedJournal(one: VerifyReport, next: VerifyReport): VerifyReport {
  const [before, journal] = [one.journal, next.journal];
  if (before === undefined || journal === undefined) return joined(one, next);
  return { ...joined(one, next), journal: addedScrubs(before, journal) };
}

/** What two steps did, one after the other: what is left is what the later one left. */
export const repairedBoth = (one: RepairReport, next: RepairReport): RepairReport => ({
  ...next,
  planned: one.planned,
  volumes: one.volumes + next.volumes,
  columns: one.columns + next.columns,
  objects: one.objects + next.objects,
  writtenBytes: one.writtenBytes + next.writtenBytes,
  discards: {
    freedZones: one.discards.freedZones + next.discards.freedZones,
    givenUpZones: one.discards.givenUpZones + next.discards.givenUpZones,
    kept: next.discards.kept,
  },
});
