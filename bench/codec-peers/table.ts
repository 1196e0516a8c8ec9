// The table of `npm run bench -- codec` in docs/codec.md: a row per case, written over what stands between two comments
// there.
import { markdownTable, writePart } from '../document-part.ts';
import { CODES, FRAGMENTS, type Measurement } from './cases.ts';

const HEAD = [
  'case',
  'fragment',
  'this kernel',
  'revectorized',
  'ISA-L coder',
  'times it',
  'ISA-L AVX2',
  'times it',
  'revectorized',
  'ISA-L xor_gen',
  'klauspost, 1 goroutine',
  '@ronomon',
  'plain twin',
];

/** Replaces the part of the document that this bench owns. */
export function writeTable(path: string, measured: readonly Measurement[], machine: string, rounds: number): void {
  writePart(path, 'codec', `${machine}. Best of ${rounds} rounds in turns.\n\n${table(measured)}`);
}

function table(measured: readonly Measurement[]): string {
  const rows = CODES.flatMap(({ name }) =>
    (['encode', 'lose-1', 'worst'] as const).flatMap((operation) =>
      [...FRAGMENTS].reverse().flatMap((fragmentBytes) => {
        const here = measured.filter(
          (m) => m.code === name && m.operation === operation && m.fragmentBytes === fragmentBytes,
        );
        return here.length === 0 ? [] : [row(here, `\`${name}\` ${operation}`, fragmentBytes)];
      }),
    ),
  );
  return markdownTable(HEAD, rows);
}

function row(here: readonly Measurement[], name: string, fragmentBytes: number): string[] {
  const fastest = (test: (contender: string) => boolean): number =>
    Math.max(0, ...here.filter(({ contender }) => test(contender)).map(({ bestGBs }) => bestGBs));
  const own = fastest((contender) => contender === 'this kernel');
  const wide = fastest((contender) => contender === 'this kernel, revectorized');
  const isal = fastest((contender) => contender.startsWith('ISA-L') && contender.includes('dispatch'));
  const avx2 = fastest((contender) => contender.startsWith('ISA-L') && contender.includes('AVX2'));
  const others = ['xor_gen', 'klauspost 1', 'ronomon'].map((part) => fastest((contender) => contender.includes(part)));
  return [
    name,
    fragmentBytes >= 1 << 20 ? `${fragmentBytes >> 20} MiB` : `${fragmentBytes >> 10} KiB`,
    `**${speed(own)}**`,
    speed(wide),
    speed(isal),
    ratio(own, isal),
    speed(avx2),
    ratio(own, avx2),
    ratio(wide, avx2),
    ...others.map(speed),
    speed(fastest((contender) => contender === 'plain twin')),
  ];
}

const speed = (value: number): string => (value === 0 ? '-' : value.toFixed(value < 2 ? 2 : 1));
const ratio = (a: number, b: number): string => (a === 0 || b === 0 ? '-' : (a / b).toFixed(2));
