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
    name: 'seal-with-a-group-pending',
    file: 'lib/volume/steps/volume-steps.ts',
    find: "if: [tokenIs(token), stateIs('open'), nothingPending],",
    replace: "if: [tokenIs(token), stateIs('open')],",
  },
  {
    name: 'settled-whatever-the-token',
    file: 'lib/volume/steps/recover-steps.ts',
    find: 'if: [tokenIs(token), pendingIs(seq)],',
    replace: 'if: [pendingIs(seq)],',
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
    file: 'lib/volume/steps/recover-steps.ts',
    find: `      if: deadIsAsRead(dead),
`,
    replace: '',
  },
  {
    name: 'live-bytes-of-dead-slots-again',
    file: 'lib/volume/steps/recover-steps.ts',
    find: 'const flipping = slots.filter(({ slot }) => !isDead(dead, slot));',
    replace: 'const flipping = slots;',
  },
  {
    name: 'retired-while-it-holds-buckets',
    file: 'lib/volume/steps/volume-steps.ts',
    find: 'if: [...drainsUnder(run), holdsNoBuckets],',
    replace: 'if: drainsUnder(run),',
  },
  {
    name: 'run-taken-twice',
    file: 'lib/volume/steps/volume-steps.ts',
    find: "if: [stateIs('sealed'), hasNoRun],",
    replace: "if: [{ attribute: 's', oneOf: ['sealed', 'draining'] }],",
  },
  {
    name: 'release-of-another-run',
    file: 'lib/volume/steps/volume-steps.ts',
    find: `  ...stopDraining,
  if: drainsUnder(run),`,
    replace: `  ...stopDraining,
  if: [stateIs('draining')],`,
  },
  {
    name: 'flip-without-its-run',
    file: 'lib/volume/steps/flip-steps.ts',
    find: 'if: [generationIs(host.generation), ownedBy(run), nextGenerationIs(next.generation)],',
    replace: 'if: [generationIs(host.generation)],',
  },
  {
    name: 'arrival-of-a-bucket-that-moved',
    file: 'lib/volume/steps/flip-steps.ts',
    find: 'if: [bucketIsIn(source), moveIs(move)],',
    replace: "if: ['exists'],",
  },
  {
    name: 'merge-of-a-block-in-trash',
    file: 'lib/volume/steps/merge-steps.ts',
    find: "if: [recordIs(recordId), ...slotIs(from), blockIs('live')],",
    replace: 'if: [recordIs(recordId), ...slotIs(from)],',
  },
  {
    name: 'merge-of-a-block-that-moved',
    file: 'lib/volume/steps/merge-steps.ts',
    find: "if: [recordIs(recordId), ...slotIs(from), blockIs('live')],",
    replace: "if: [recordIs(recordId), blockIs('live')],",
  },
  {
    name: 'merge-leaves-an-old-slot-alive',
    file: 'lib/volume/steps/merge-steps.ts',
    find: '...[...Map.groupBy(blocks, ({ from }) => from.bucket)].flatMap(',
    replace: '...[...Map.groupBy(blocks.slice(1), ({ from }) => from.bucket)].flatMap(',
  },
  {
    name: 'merge-without-its-group',
    file: 'lib/volume/steps/merge-steps.ts',
    find: 'if: [tokenIs(home.token), pendingIs(home.seq)],',
    replace: "if: ['exists'],",
  },
];
