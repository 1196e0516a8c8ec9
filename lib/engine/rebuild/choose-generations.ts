// A volume that was topped off, or was about to be, shows itself on the drives more than once: in each generation, and
// once for every try at the next one. Its row will have one of them, with one set of extents; which one is decided
// here, and nothing of the others is looked at any more.
//
// What is alive in the host is in every generation that was flipped to, and in the one before, while that is there. In
// the next one there is besides what arrived with the flip, whose donors are freed after it. So a generation which
// alone has something was flipped to, and what only an older one has was dead by then. Where none alone has anything,
// each that has the most will do.
//
// And a zone is one volume's. Where it shows two generations, chunks came late to the older one after it had been
// erased, or an older Panda that was put back gave up the younger one: the drives do not tell. What the backup names
// does: the younger one is left out only if the older one alone has something, and the younger one nothing.
import type { VolumeId } from '../../foundation/ids.ts';
import type { Sorter } from './sorter.ts';

/** One of several that are in each other's way. */
interface Rival {
  readonly id: number;
  readonly contest: string;
  /** Its generation, where that says which came first. */
  readonly rank: number;
  /** Chunks of its groups that are not there. */
  readonly lostChunks: number;
}

/**
 * Leaves one generation, in one set of extents, of every volume, and one group of every sequence number in it: groups
 * and records of the others go.
 */
export function chooseGenerations(sorter: Sorter): void {
  const volumes = sorter.all<{ volume: VolumeId }>(CONTESTED_VOLUMES);
  decideAll(
    sorter,
    volumes.map(({ volume }) => rivalsOfVolume(sorter, volume)),
  );
  // Of two proposals with one number at the most one was committed, under whatever token.
  const sequences = sorter.all<Sequence>(CONTESTED_SEQUENCES);
  decideAll(
    sorter,
    sequences.map((sequence) => rivalsOfSequence(sorter, sequence)),
  );
  decideZones(sorter);
}

const CONTESTED_VOLUMES = `
SELECT volume FROM (SELECT DISTINCT volume, generation FROM groups) GROUP BY volume HAVING count(*) > 1
UNION SELECT g.volume FROM groups g JOIN chunks c ON c.groupId = g.id
GROUP BY g.volume, g.generation, c.column HAVING count(DISTINCT c.extent) > 1`;
const CONTESTED_SEQUENCES =
  'SELECT volume, generation, sequence FROM groups GROUP BY volume, generation, sequence HAVING count(*) > 1';

/** Volumes in zones of which the drives show more than one generation. */
const VOLUMES_OF_CONTESTED_ZONES = `
SELECT DISTINCT z.drive || ':' || z.zone AS zone, z.generation AS zoneGeneration, g.volume, g.generation
FROM zones z CROSS JOIN chunks c ON c.extent = z.drive || ':' || z.zone || ':' || z.generation
  CROSS JOIN groups g ON g.id = c.groupId
WHERE EXISTS (SELECT 1 FROM zones o WHERE o.drive = z.drive AND o.zone = z.zone AND o.generation <> z.generation)`;

type Sequence = { volume: VolumeId; generation: number; sequence: number };
type Part = { id: number; generation: number; columnBytes: string };
type Column = { column: number; extent: string };

type ZoneVolume = { zone: string; zoneGeneration: number; volume: VolumeId; generation: number };

/** Groups that are in the same extents. */
interface Together {
  readonly generation: number;
  readonly groups: number[];
  /** By column: more than one of a column that was repaired. */
  readonly extents: Map<number, Set<string>>;
  lostChunks: number;
}

function rivalsOfVolume(sorter: Sorter, volume: VolumeId): Rival[] {
  const parts = sorter.all<Part>('SELECT id, generation, columnBytes FROM groups WHERE volume = ?', volume);
  let found: Together[] = [];
  for (const part of parts) {
    const group = alone(sorter, part);
    found = joined(found, group, (other) => shareExtent(other, group));
  }
  // Of what was damaged as much may be gone that nothing shows it to be of the others: nothing says otherwise either.
  let whole: Together[] = [];
  for (const some of found) whole = joined(whole, some, (other) => !contradict(other, some));
  return whole.map((one) => rival(sorter, volume, one.generation, one));
}

function rivalsOfSequence(sorter: Sorter, { volume, generation, sequence }: Sequence): Rival[] {
  const parts = sorter.all<Part>(
    'SELECT id, generation, columnBytes FROM groups WHERE volume = ? AND generation = ? AND sequence = ? ORDER BY token',
    ...[volume, generation, sequence],
  );
  return parts.map((part) => rival(sorter, `${volume}/${sequence}`, 0, alone(sorter, part)));
}

/** One zone after the other: a volume may be in several. */
function decideZones(sorter: Sorter): void {
  const found = sorter.all<ZoneVolume>(VOLUMES_OF_CONTESTED_ZONES);
  for (const [zone, volumes] of Map.groupBy(found, ({ zone: of }) => of)) {
    const groupsOf = ({ volume, generation }: ZoneVolume) =>
      sorter.all<{ id: number }>('SELECT id FROM groups WHERE volume = ? AND generation = ?', volume, generation);
    const held = volumes.map((one) => ({ one, groups: groupsOf(one).map(({ id }) => id) }));
    // None is left of what was left out for another zone.
    const there = held.filter(({ groups }) => groups.length > 0);
    if (new Set(there.map(({ one }) => `${one.volume}/${one.generation}`)).size < 2) continue;
    const rivals = there.map(({ one, groups }) => rival(sorter, zone, one.zoneGeneration, { groups, lostChunks: 0 }));
    sorter.run(CLAIM_OWN);
    sorter.run(CLAIM_ELSEWHERE);
    const byAge = rivals.toSorted((a, b) => b.rank - a.rank);
    decide(sorter, rivals, byAge.find(({ id }) => countOf(sorter, NOWHERE_ELSE, id) > 0) ?? byAge[0]);
    leaveOut(sorter);
  }
}

function rival(
  sorter: Sorter,
  contest: string,
  rank: number,
  { groups, lostChunks }: Pick<Together, 'groups' | 'lostChunks'>,
): Rival {
  sorter.run('INSERT INTO rivals VALUES (NULL, ?, ?)', contest, rank);
  const id = sorter.count('SELECT last_insert_rowid() AS n');
  for (const group of groups) sorter.run('INSERT INTO rivalGroups VALUES (?, ?)', group, id);
  return { id, contest, rank, lostChunks };
}

function alone(sorter: Sorter, { id, generation, columnBytes }: Part): Together {
  const columns = sorter.all<Column>('SELECT column, extent FROM chunks WHERE groupId = ?', id);
  const extents = Map.groupBy(columns, ({ column }) => column);
  const wanted = (JSON.parse(columnBytes) as number[]).filter((bytes) => bytes > 0).length;
  return {
    generation,
    groups: [id],
    extents: new Map([...extents].map(([column, its]) => [column, new Set(its.map(({ extent }) => extent))])),
    lostChunks: Math.max(0, wanted - extents.size),
  };
}

/** With `one` among them: joined with all that it belongs to. */
function joined(found: readonly Together[], one: Together, belongs: (other: Together) => boolean): Together[] {
  const isOf = (other: Together): boolean => other.generation === one.generation && belongs(other);
  const others = found.filter((other) => !isOf(other));
  for (const { groups, extents, lostChunks } of found.filter(isOf)) {
    one.groups.push(...groups);
    one.lostChunks += lostChunks;
    for (const [column, its] of extents) one.extents.set(column, its.union(one.extents.get(column) ?? new Set()));
  }
  return [...others, one];
}

const shareExtent = (a: Together, b: Together): boolean =>
  [...b.extents].some(([column, its]) => !its.isDisjointFrom(a.extents.get(column) ?? new Set()));

const contradict = (a: Together, b: Together): boolean =>
  [...b.extents].some(([column, its]) => a.extents.get(column)?.isDisjointFrom(its) ?? false);

function decideAll(sorter: Sorter, contests: readonly (readonly Rival[])[]): void {
  let undecided = contests.filter((rivals) => rivals.length > 1);
  if (undecided.length > 0) {
    sorter.run(CLAIM_OWN);
    sorter.run(CLAIM_ELSEWHERE);
  }
  // What is certain first: what it leaves out may be what another one alone has.
  for (let before = 0; before !== undecided.length; ) {
    before = undecided.length;
    undecided = undecided.filter((rivals) => !decide(sorter, rivals, certain(sorter, rivals)));
  }
  for (const rivals of undecided) decide(sorter, rivals, certain(sorter, rivals) ?? fullest(sorter, rivals));
  leaveOut(sorter);
}

function leaveOut(sorter: Sorter): void {
  sorter.run('DELETE FROM records WHERE groupId IN (SELECT groupId FROM leftOut)');
  sorter.run('DELETE FROM chunks WHERE groupId IN (SELECT groupId FROM leftOut)');
  sorter.run('DELETE FROM groups WHERE id IN (SELECT groupId FROM leftOut)');
  for (const table of ['rivals', 'rivalGroups', 'claims', 'leftOut']) sorter.run(`DELETE FROM ${table}`);
}

/** Named blocks that can be read in a rival. */
const CLAIM_OWN = `
INSERT OR IGNORE INTO claims SELECT n.block, o.rival
FROM records r CROSS JOIN rivalGroups o ON o.groupId = r.groupId CROSS JOIN groups g ON g.id = r.groupId
  CROSS JOIN named n ON n.record = r.record
WHERE g.isDecodable`;
/** Those of them that can be read besides in what nothing is in the way of: rival 0. */
const CLAIM_ELSEWHERE = `
INSERT OR IGNORE INTO claims SELECT n.block, 0
FROM records r CROSS JOIN groups g ON g.id = r.groupId CROSS JOIN named n ON n.record = r.record
WHERE g.isDecodable AND NOT EXISTS (SELECT 1 FROM rivalGroups o WHERE o.groupId = r.groupId)
  AND EXISTS (SELECT 1 FROM claims c WHERE c.block = n.block)`;
/** What neither an older one nor anything outside of the contest has. */
const ONLY_THERE = `
SELECT count(*) AS n FROM claims c WHERE c.rival = ? AND NOT EXISTS (
  SELECT 1 FROM claims o LEFT JOIN rivals q ON q.id = o.rival
  WHERE o.block = c.block AND o.rival <> c.rival AND (q.id IS NULL OR q.contest <> ? OR q.rank < ?))`;
const NOWHERE_ELSE = `
SELECT count(*) AS n FROM claims c WHERE c.rival = ?
  AND NOT EXISTS (SELECT 1 FROM claims o WHERE o.block = c.block AND o.rival <> c.rival)`;
const ALL_THERE = 'SELECT count(*) AS n FROM claims WHERE rival = ?';

/** The highest that has something alone; the lowest not beside others: what it alone has was dead by then. */
function certain(sorter: Sorter, rivals: readonly Rival[]): Rival | undefined {
  const lowest = Math.min(...rivals.map(({ rank }) => rank));
  const later = rivals.filter(({ rank }) => rank > lowest);
  const counted = (later.length > 0 ? later : rivals)
    .map((one) => ({ one, blocks: countOf(sorter, ONLY_THERE, one.id, one.contest, one.rank) }))
    .filter(({ blocks }) => blocks > 0)
    .sort((a, b) => b.one.rank - a.one.rank || b.blocks - a.blocks);
  return counted[0]?.one;
}

function fullest(sorter: Sorter, rivals: readonly Rival[]): Rival | undefined {
  const counted = rivals.map((one) => ({ one, blocks: countOf(sorter, ALL_THERE, one.id) }));
  counted.sort(
    (a, b) =>
      b.blocks - a.blocks || a.one.lostChunks - b.one.lostChunks || b.one.rank - a.one.rank || b.one.id - a.one.id,
  );
  return counted[0]?.one;
}

const countOf = (sorter: Sorter, sql: string, ...values: (string | number)[]): number =>
  sorter.get<{ n: number }>(sql, ...values)?.n ?? 0;

/** False if there is nothing to decide by yet. */
function decide(sorter: Sorter, rivals: readonly Rival[], chosen: Rival | undefined): boolean {
  if (chosen === undefined) return false;
  for (const { id } of rivals) {
    if (id === chosen.id) continue;
    sorter.run('DELETE FROM claims WHERE rival = ?', id);
    sorter.run('INSERT INTO leftOut SELECT groupId FROM rivalGroups WHERE rival = ?', id);
  }
  return true;
}
