// Mutants that no test can notice, by file and name, and why: they are not tried, and are counted apart.

type Equivalent = readonly [name: string, reason: string];

export const EQUIVALENT: Readonly<Record<string, readonly Equivalent[]>> = {
  'lib/compaction/facts/delete-rates.ts': [
    ['boundary: days > 0 -> days >= 0', 'where no time has passed nothing was exposed'],
  ],
  'lib/compaction/facts/fleet.ts': [
    ['default: v.lane ?? SHARED_LANE -> v.lane', 'what is not told is 0 in a column, which is the shared lane'],
  ],
  'lib/compaction/facts/remnants.ts': [
    ['boundary: a.id > b.id -> a.id >= b.id', 'no two volumes and no two buckets have one id: equal ones never meet'],
    ['condition: a.id > b.id -> true', 'the same'],
    ['default: v.lane ?? SHARED_LANE -> v.lane', 'what is not told is 0 in a column, which is the shared lane'],
  ],
  'lib/compaction/do/merge-now.ts': [
    ['constant: 0 -> 1', 'of a volume its row is asked for: how much lives in it is counted by its buckets'],
  ],
  'lib/compaction/move/l3/hold.ts': [['constant: 0 -> 1', 'of half a gigabyte that may wait one byte']],
  'lib/compaction/move/merge.ts': [["default: volume ?? '' -> volume", 'no volume is called either']],
  'lib/compaction/plan/kin.ts': [
    [
      'arithmetic: AGE_CLASSES - 1 -> AGE_CLASSES + 1',
      'behind the last bound there is none, and nothing is above that',
    ],
  ],
  'lib/compaction/plan/l2-propose.ts': [
    ['default: a.proposal?.packing.score ?? 0 -> a.proposal?.packing.score', 'all that are ranked have a proposal'],
    ['default: b.proposal?.packing.score ?? 0 -> b.proposal?.packing.score', 'the same'],
  ],
  'lib/compaction/plan/merges/merge-candidates.ts': [
    ["default: merge.sources[0]?.bucket ?? '' -> merge.sources[0]?.bucket", 'a merge has two sources or more'],
  ],
  'lib/frontend/index-plan.ts': [
    ['boundary: delta < 0 -> delta <= 0', 'references that cancel out were passed over before'],
  ],
  'lib/frontend/list-objects.ts': [
    [
      'default: page.rows.at(-1)?.sort ?? from -> page.rows.at(-1)?.sort',
      'what is void is read for an object of the page only: the page has rows',
    ],
  ],
  'lib/frontend/reads/read-together.ts': [
    ['condition: some.length > 0 -> true', 'of no objects nothing is read, and nothing comes out'],
    ['boundary: some.length > 0 -> some.length >= 0', 'the same'],
  ],
  'lib/frontend/removed/list-removed.ts': [
    ["default: a.head?.row.sort ?? '' -> a.head?.row.sort", 'streams that have ended were left out before'],
    ["default: b.head?.row.sort ?? '' -> b.head?.row.sort", 'the same'],
  ],
  'lib/frontend/removed/restore-object.ts': [
    [
      "clause: !isPocketfulError(error) || error.code !== 'VERSION_MISMATCH' -> error.code !== 'VERSION_MISMATCH'",
      'no other error has that code',
    ],
  ],
  'lib/volume/check/look-at-group.ts': [['boundary: size < bytes -> size <= bytes', 'equal ones were answered before']],
  'lib/volume/check/look.ts': [
    [
      'clause: packs !== undefined && packs.sound === 0 && packs.copies > 0 -> packs !== undefined && packs.sound === 0',
      'a volume has a column for its pack at least',
    ],
    [
      'clause: packs !== undefined && packs.sound === 0 -> packs !== undefined',
      'as long as one copy is sound all groups are found',
    ],
  ],
  'lib/volume/check/must-exist.ts': [
    ['boundary: dataColumns > 1 -> dataColumns >= 1', 'of copies all entries are of the first column: its own are all'],
    ['default: buckets[column]?.size ?? 0 -> buckets[column]?.size', 'every data column has a set'],
  ],
  'lib/volume/read/directories.ts': [
    ['call: indexes.set(entries, index) -> undefined', 'only time: it is made again, and is the same'],
    ['condition: columnBytes !== undefined -> true', 'lengths that are remembered as unknown are looked up as before'],
  ],
  'lib/volume/read/note-broken.ts': [
    [
      'default: columnBytes?.[other] ?? 0 -> columnBytes?.[other]',
      'what is not known is not more than nothing, either',
    ],
  ],
  'lib/volume/read/read-spans.ts': [
    ['default: last?.place.offset ?? 0 -> last?.place.offset', 'it counts only where there is a span to be joined'],
    ['default: last?.place.length ?? 0 -> last?.place.length', 'the same'],
    ['constant: 0 -> 1', 'the same, of both'],
  ],
  'lib/volume/read/read-record.ts': [
    [
      'clause: a.bucket.volume === b.bucket.volume && a.buck…olume.id === b.volume.id -> a.bucket.volume === b.bucket.volume && a.bucket.move === b.bucket.move',
      'the volume that is read is the one that the bucket names',
    ],
  ],
  'lib/volume/read/reconstruct.ts': [
    [
      'clause: lengths !== undefined && plan.every((column) => loaded.has(column)) -> plan.every((column) => loaded.has(column))',
      'without lengths nothing is loaded, and no plan is of no column',
    ],
  ],
  'lib/volume/read/sealed-directories.ts': [
    [
      'clause: offset < from || offset + length > from + bytes.length -> offset + length > from + bytes.length',
      'what lies before these bytes fails its checksum among them, and is left out as a damaged one is',
    ],
  ],
  'lib/volume/read/unreadable.ts': [
    ["condition: typeof row.part === 'number' -> true", 'a chunk is looked up by its number: no name is one'],
  ],
  'lib/volume/rows/drive-health.ts': [
    ['condition: isPocketfulError(error) -> true', 'the line behind it asks the same once more, for the type'],
    [
      'clause: backOffMs === undefined || !isPocketfulError(error) -> backOffMs === undefined',
      'the same, seen from there',
    ],
  ],
  'lib/volume/rows/known-keks.ts': [
    [
      'default: (await components.keks.versions()).at(-1)?.version ?? 0 -> (await components.keks.versions()).at(-1)?.version',
      'keys that have a current version have versions',
    ],
  ],
  'lib/volume/runs/free.ts': [
    [
      'default: trashedAtMs ?? 0 -> trashedAtMs',
      'what is in trash has its time; without one its grace is over, by 0 as by what is no number',
    ],
  ],
};
