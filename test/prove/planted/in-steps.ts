// Planted in the steps: the conditions of transactions on volumes, flips, merges and dead slots.
import type { Plant } from './plant.ts';

export const IN_STEPS: readonly Plant[] = [
  {
    name: 'lease-without-token',
    file: 'lib/volume/steps/volume-steps.ts',
    find: `    { attribute: 't', equals: token },
    { attribute: 's', equals: 'open' },
  ],
});

/** SEAL`,
    replace: `    { attribute: 's', equals: 'open' },
  ],
});

/** SEAL`,
  },
  {
    name: 'seal-with-a-group-pending',
    file: 'lib/volume/steps/volume-steps.ts',
    find: `    { attribute: 'p', missing: true },
`,
    replace: '',
  },
  {
    name: 'settled-whatever-the-token',
    file: 'lib/volume/steps/recover-steps.ts',
    find: `      { attribute: 't', equals: token },
      { attribute: 'p', equals: seq },`,
    replace: "      { attribute: 'p', equals: seq },",
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
    find: `      if: dead.version === 0 ? ['absent'] : [{ attribute: 'v', equals: dead.version }],
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
    find: "if: [...drainingUnder(run), { attribute: 'b', missing: true }],",
    replace: 'if: drainingUnder(run),',
  },
  {
    name: 'run-taken-twice',
    file: 'lib/volume/steps/volume-steps.ts',
    find: `    { attribute: 's', equals: 'sealed' },
    { attribute: 'r', missing: true },`,
    replace: "    { attribute: 's', oneOf: ['sealed', 'draining'] },",
  },
  {
    name: 'release-of-another-run',
    file: 'lib/volume/steps/volume-steps.ts',
    find: `  remove: ['r'],
  if: drainingUnder(run),`,
    replace: `  remove: ['r'],
  if: [{ attribute: 's', equals: 'draining' }],`,
  },
  {
    name: 'flip-without-its-run',
    file: 'lib/volume/steps/flip-steps.ts',
    find: `      { attribute: 'g', equals: host.generation },
      { attribute: 'r', equals: run },
      { attribute: 'ng', equals: next.generation },`,
    replace: "      { attribute: 'g', equals: host.generation },",
  },
  {
    name: 'arrival-of-a-bucket-that-moved',
    file: 'lib/volume/steps/flip-steps.ts',
    find: `      { attribute: 'v', equals: source },
      { attribute: 'm', equals: move },`,
    replace: "      'exists',",
  },
  {
    name: 'merge-of-a-block-in-trash',
    file: 'lib/volume/steps/merge-steps.ts',
    find: `          { attribute: 's', equals: 'live' },
`,
    replace: '',
  },
  {
    name: 'merge-of-a-block-that-moved',
    file: 'lib/volume/steps/merge-steps.ts',
    find: `          { attribute: 'b', equals: from.bucket },
          { attribute: 'n', equals: from.slot },
`,
    replace: '',
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
    find: `        { attribute: 't', equals: home.token },
        { attribute: 'p', equals: home.seq },`,
    replace: "        'exists',",
  },
];
