// Planted in the steps: the conditions of transactions on volumes, flips, merges and dead slots.
import type { Plant } from './plant.ts';

export const IN_STEPS: readonly Plant[] = [
  {
    name: 'lease-without-token',
    file: 'lib/volume/steps/volume-steps.ts',
    find: "if: [tokenIs(token), stateIs('open')],",
    replace: "if: [stateIs('open')],",
  },
  {
    // Who seals has just leased the volume and looked again: both have to go.
    name: 'seal-with-a-group-pending',
    aim: '6 SEAL',
    file: 'lib/volume/steps/volume-steps.ts',
    find: "if: [tokenIs(token), stateIs('open'), nothingPending],",
    replace: "if: [tokenIs(token), stateIs('open')],",
    also: [
      {
        file: 'lib/volume/open/lease.ts',
        find: 'return leased.token === token ? leased : undefined;',
        replace: 'return leased.token === token ? { ...row, token, owner: components.owner, expiresAtMs } : undefined;',
      },
    ],
  },
  {
    name: 'settled-whatever-the-group',
    aim: '4 INDEX, the last|5 RECOVER',
    file: 'lib/volume/steps/recover-steps.ts',
    find: 'if: [tokenIs(token), pendingIs(seq)],',
    replace: "if: ['exists'],",
  },
  {
    name: 'recover-looks-at-the-record-only',
    file: 'lib/volume/steps/recover-steps.ts',
    find: ' && row.bucket === bucket && row.slot === slot;',
    replace: ';',
  },
  {
    name: 'recover-kills-nothing',
    file: 'lib/volume/steps/recover-steps.ts',
    find: 'return unnamed.length === 0 ? [] :',
    replace: 'return unnamed.length >= 0 ? [] :',
  },
  {
    name: 'dead-row-without-version',
    aim: '5 RECOVER, slots|20d slots|20 of trash|21 MERGE',
    file: 'lib/volume/steps/recover-steps.ts',
    find: `      if: deadIsAsRead(dead),
`,
    replace: '',
  },
  {
    name: 'live-bytes-of-dead-slots-again',
    aim: '4 INDEX$',
    file: 'lib/volume/steps/recover-steps.ts',
    find: 'const flipping = slots.filter(({ slot }) => !isDead(dead, slot));',
    replace: 'const flipping = slots;',
    also: [
      {
        file: 'lib/volume/steps/recover-steps.ts',
        find: 'return !isNamed && !isDead(dead, slot);',
        replace: 'return !isNamed;',
      },
    ],
  },
  {
    name: 'retired-while-it-holds-buckets',
    file: 'lib/volume/steps/volume-steps.ts',
    find: 'if: [...drainsUnder(run), holdsNoBuckets, hasNoNext],',
    replace: 'if: [...drainsUnder(run), hasNoNext],',
  },
  {
    // Of a volume that is draining already is held by every later step of the other run: they name it.
    name: 'run-takes-whatever-is-there',
    aim: '9 TAKE',
    file: 'lib/volume/steps/volume-steps.ts',
    find: "if: [stateIs('sealed'), hasNoRun],",
    replace: "if: ['exists'],",
  },
  {
    name: 'release-of-whatever-is-there',
    aim: '9 given back|12 RETIRE|panda get volume',
    file: 'lib/volume/steps/volume-steps.ts',
    find: `  ...stopDraining,
  if: [...drainsUnder(run), hasNoNext],`,
    replace: `  ...stopDraining,
  if: ['exists'],`,
  },
  {
    name: 'flip-without-its-run',
    aim: '15 FLIP',
    file: 'lib/volume/steps/flip-steps.ts',
    find: 'if: [generationIs(host.generation), revisionIs(host.revision), ownedBy(run), nextGenerationIs(next.generation)],',
    replace: 'if: [generationIs(host.generation), revisionIs(host.revision)],',
  },
  {
    name: 'arrival-of-a-bucket-that-moved',
    aim: '15 ',
    file: 'lib/volume/steps/flip-steps.ts',
    find: 'if: [bucketIsIn(source), moveIs(move)],',
    replace: "if: ['exists'],",
    also: [
      {
        file: 'lib/volume/steps/flip-steps.ts',
        find: '    if: [ownedBy(run), generationIs(host.generation)],',
        replace: '    if: [generationIs(host.generation)],',
      },
      {
        file: 'lib/volume/steps/flip-steps.ts',
        find: '    if: [ownedBy(run)],',
        replace: "    if: ['exists'],",
      },
    ],
  },
  {
    name: 'merge-of-a-block-in-trash',
    aim: '21 MERGE',
    file: 'lib/volume/steps/merge-steps.ts',
    find: "if: [recordIs(recordId), ...slotIs({ ...from, ...formOf(row) }), ...formIs(row), ...blockIs('live', row)],",
    replace: 'if: [recordIs(recordId), ...slotIs({ ...from, ...formOf(row) })],',
  },
  {
    name: 'merge-leaves-an-old-slot-alive',
    file: 'lib/volume/steps/merge-steps.ts',
    find: '...[...Map.groupBy(blocks, ({ from }) => from.bucket)].flatMap(',
    replace: '...[...Map.groupBy(blocks.slice(1), ({ from }) => from.bucket)].flatMap(',
  },
  {
    name: 'merge-without-its-group',
    aim: '21 MERGE',
    file: 'lib/volume/steps/merge-steps.ts',
    find: 'if: [tokenIs(home.token), pendingIs(home.seq)],',
    replace: "if: ['exists'],",
  },
];
