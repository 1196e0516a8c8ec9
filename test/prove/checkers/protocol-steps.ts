// The steps of docs/protocols.md as a transaction shows them: by what it writes to which rows, whoever calls it. A transaction may be several
// (the last index of a group also brings a block back from trash); one that is none of them is a fault, or a step to be added here.
import type { Condition, Write } from '../../../lib/panda/panda.ts';

/**
 * What a transaction does, word by word: `put group`, `update volume`, and of an update `+t` for an attribute that is set, `-p` removed, `^f` added to
 * (`^f-`: less of it), `>b` put into a set; `s=trash` for the state a row gets, `f=0` for a block nobody refers to any more; `?g` for an attribute of the condition, `?absent`.
 */
export function wordsOf(writes: readonly Write[]): Set<string> {
  const words = new Set<string>();
  for (const write of writes) {
    const row = `${write.kind} ${tableOf(write.partition)}`;
    words.add(row);
    const say = (mark: string, names: readonly string[]): void => {
      for (const name of names) words.add(`${row} ${mark}${name}`);
    };
    say('?', conditionOf(write.if ?? []));
    if (write.kind === 'put') say('s=', textOf(write.attributes['s']));
    if (write.kind === 'put') say('+', Object.keys(write.attributes));
    if (write.kind !== 'update') continue;
    say('s=', textOf(write.set?.['s']));
    if (write.set?.['f'] === 0) words.add(`${row} f=0`);
    say('+', Object.keys(write.set ?? {}));
    say('-', write.remove ?? []);
    say('>', Object.keys(write.insert ?? {}));
    for (const [name, by] of Object.entries(write.add ?? {})) say('^', [`${name}${by < 0 ? '-' : ''}`]);
  }
  return words;
}

/** Up to the first `/`, of work the second. */
function tableOf(partition: string): string {
  const end = partition.indexOf('/', partition.startsWith('work/') ? 'work/'.length : 0);
  return end < 0 ? partition : partition.slice(0, end);
}
const textOf = (value: unknown): string[] => (typeof value === 'string' ? [value] : []);
const conditionOf = (condition: Condition): string[] =>
  condition.map((clause) => (typeof clause === 'string' ? clause : clause.attribute));

/** A step's name, and the words it has; those after `!` it has not. */
type Pattern = readonly [name: string, ...words: readonly string[]];

const PATTERNS: readonly Pattern[] = [
  ['1 new volume', 'put volume s=open'],
  ['1 LEASE', 'update volume +t', 'update volume +o'],
  ['1 lease given back', 'update volume -o', '!update volume -p', '!update volume +n', '!update volume +s'],
  ['2 sequence number burnt', 'update volume +n', 'update volume -o'],
  ['3 COMMIT to a bucket', 'put group', 'update bucket ^u'],
  ['3 COMMIT of a new bucket', 'put group', 'put bucket', 'update volume +ob'],
  ['3 and 4, all in one', 'put group', 'put object', 'update volume -o'],
  ['3, 4 and the next 1, all in one', 'put group', 'put object', 'update volume +t'],
  ['4 INDEX', 'check volume', '!put dead', '!put open', '!put hot'],
  ['4 INDEX, the last of a group', 'update volume -p', 'put block'],
  ['4 INDEX, the last, of known blocks', 'update volume -p', 'put object', '!put block'],
  ['4 new block', 'put block'],
  ['4 new object', 'put object ?absent'],
  ['5 RECOVER, slots die', 'update volume -p', 'put dead'],
  ['5 RECOVER, nothing dies', 'update volume -p', '!put dead', '!put block', '!put object', '!put segment'],
  ['6 SEAL', 'update volume s=sealed', 'update volume +z'],
  ['6 directories written', 'update volume -dp', '!update volume +s'],
  ['6 rows of groups go', 'delete group'],
  ['7 upload begins', 'put work/upload'],
  ['7 segment', 'put segment'],
  ['7 PUBLISH', 'delete work/upload', 'put object'],
  ['7 upload given up', 'delete work/upload', 'put work/release', '!put object'],
  ['7 row of a published upload goes', 'delete work/upload', '!put work/release', '!put object'],
  ['8 RELEASE begins', 'put work/release', '!delete work/upload'],
  ['8 RELEASE of an overwritten object', 'put work/release', 'put object'],
  ['8 RELEASE goes on', 'update work/release'],
  ['8 RELEASE ends', 'delete work/release'],
  ['8 block list of a removed one goes', 'delete removed-segment'],
  ['9 TAKE', 'update volume s=draining'],
  ['9 taken over', 'update volume +r', '!update volume +s'],
  ['9 given back', 'update volume s=sealed', 'update volume -r'],
  ['10 COMMIT of a copy', 'put group', '!put bucket', '!update bucket ^u'],
  ['11 COMMIT of a move', 'update bucket +v', '!update volume ?g'],
  ['11 empty bucket dropped', 'delete bucket'],
  ['12 RETIRE', 'update volume s=trash'],
  ['12 grace begins again', 'update volume +d', '!update volume +s'],
  ['12 ERASING', 'update volume s=erasing'],
  ['12 zones free', 'delete volume'],
  ['14 CLAIM', 'update volume +ng'],
  ['14 next extents dropped', 'put volume s=trash', '!update volume +g'],
  ['15 FLIP', 'put volume s=trash', 'update volume +g'],
  ['15 COMMIT of an arrival', 'update bucket +v', 'update volume ?g'],
  ['18 DEDUP', 'update block ^f'],
  ['18 back from trash', 'update block +f', '!update block f=0'],
  ['18 RENEW', 'update block +r'],
  ['18 RENEW in trash', 'update block +r', 'put trash'],
  ['19 DELETE', 'delete object'],
  ['19 overwrite', 'put object ?v'],
  ['19 reference back', 'update block ^f-'],
  ['19 last reference back', 'update block f=0'],
  ['19 row of removed ones', 'put removed', '!delete removed'],
  ['20b slots noted', 'update removed +c', '!update block', '!delete block'],
  ['20b counted ones given back', 'update removed +c', 'update block'],
  ['20b the last ones given back', 'update removed +c', 'delete block'],
  ['20c block row gone', 'delete block', '!update removed', '!delete trash', '!put dead', '!put void'],
  ['20c name given back', 'update block -o'],
  ['RESTORE', 'update removed +d', 'put object'],
  ['20 of trash', 'delete trash', 'delete block'],
  ['20d shredded', 'put shred', '!delete block'],
  ['20d slots die', 'put dead', '!check volume', '!update volume', '!delete block'],
  ['20e row of removed ones goes', 'delete removed', '!put removed'],
  ['20f what was void ends', 'delete void'],
  ['20f a namespace without any', 'delete voids'],
  ['20 grace of removed ones begins again', 'delete removed', 'put removed'],
  ['20 grace begins again', 'update trash +a'],
  ['21 COMMIT of a merge', 'put group', 'put bucket', '!update volume +ob'],
  ['21 noted at a source', 'update volume >mv', '!update bucket'],
  ['21 MERGE', 'check volume', 'update block +p', '!update block +r'],
  ['key version known', 'put kek'],
  ['key version retiring', 'put kek-retiring'],
  ['key rewrapped', 'update block +w', '!update block +r'],
  ['rewrap cursor', 'put work/cursor'],
  ['rewrap done', 'delete work/cursor'],
  ['journal PREPARE', 'put work/run s=PREPARE'],
  ['journal COPY', 'put work/run s=COPY'],
  ['journal COMMIT', 'put work/run s=COMMIT'],
  ['journal DONE', 'delete work/run'],
  ['damage noted', 'put damage'],
  ['damage healed', 'delete damage'],
  ['quarantine begins', 'put quarantine'],
  ['quarantine ends', 'delete quarantine'],
];

/** Of rows as only earlier releases wrote them: known, but there are none that a run could be held to have seen. */
const EARLIER_PATTERNS: readonly Pattern[] = [['20f its time begins', 'update void +a']];

/** Of drives and repair: the profile `drives` alone has them, so that no other is held to have seen them. */
const DRIVE_PATTERNS: readonly Pattern[] = [
  ['drive changed', 'put drive'],
  ['24 CLAIM', 'update volume +rx'],
  ['26 COMMIT', 'update volume +rv'],
  ['repair undone', 'update volume -rx', '!update volume +rv'],
  ['discard ERASING', 'update zone s=erasing', '!update volume'],
  ['discard ends', 'delete discard'],
  ['given-up zone free', 'update zone s=free', '!delete volume', '!delete discard'],
];

/** Of a stage's journal: the profile `stream` alone has it. */
const STREAM_PATTERNS: readonly Pattern[] = [
  ['shipping claimed', 'put journal +nq'],
  ['shipping done', 'put journal +q', '!put journal +nq', '!put journal +o'],
  ['shipping tended', 'put journal +o'],
];

/**
 * Tables of soft state: nothing depends on it, and a crash at it leaves an older one. The lists of volumes are written in the steps that make and end
 * these (watch.ts); by itself only by whoever mends them, or thinks so as a volume came or went meanwhile.
 */
const SOFT =
  /^(\w+ (work\/(threshold|budget|drain)|rates|coder|crowded|tally|gauges|verifier|scrub|sample|finding)|(put|delete) (open|hot)|check volume)( |$)/;

export const PROTOCOL_STEPS: readonly string[] = PATTERNS.map(([name]) => name);

const fits = (words: ReadonlySet<string>, [, ...wanted]: Pattern): boolean =>
  wanted.every((word) => (word.startsWith('!') ? !words.has(word.slice(1)) : words.has(word)));

const known = new Map<string, readonly string[]>();

/** The steps a transaction is; none for soft state. Undefined: nothing that is known. */
export function protocolStepsOf(writes: readonly Write[]): readonly string[] | undefined {
  const words = wordsOf(writes);
  const key = [...words].join();
  const found = known.get(key) ?? stepsOf(words);
  known.set(key, found);
  return found[0] === UNKNOWN ? undefined : found;
}

const UNKNOWN = '?';

function stepsOf(words: ReadonlySet<string>): readonly string[] {
  const names = [...PATTERNS, ...DRIVE_PATTERNS, ...STREAM_PATTERNS, ...EARLIER_PATTERNS]
    .filter((pattern) => fits(words, pattern))
    .map(([name]) => name);
  if (names.length > 0 || [...words].every((word) => SOFT.test(word))) return names;
  return [UNKNOWN];
}
