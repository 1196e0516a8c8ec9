// Stored overhead of sealed volumes over their code's own (at most 1.06), on memory drives, as nothing of it depends on
// time: 4 to 64 KiB records under the preset demo, 4 MiB records and files of 50 MB under personal.
import { PRESETS } from '../lib/settings/settings.ts';
import { sealedOverhead } from '../test/store/sealed-overhead.ts';
import { type Benches, type BenchResult, type Figure, machine } from './bench.ts';

const KIB = 1024;

export const benches: Benches = { overhead };

async function overhead(): Promise<BenchResult> {
  const { demo, personal } = PRESETS;
  const small = await sealedOverhead(demo, 24, (random) => 4 * KIB + random.below(60 * KIB + 1));
  const whole = await sealedOverhead(personal, 3, () => 4 * KIB * KIB);
  const files = await sealedOverhead(personal, 3, () => 50e6);
  return {
    bench: 'overhead',
    machine: machine(),
    figures: [
      ...figures('demo, records of 4 to 64 KiB', small),
      ...figures('personal, records of 4 MiB', whole),
      ...figures('personal, files of 50 MB', files),
    ],
  };
}

const figures = (what: string, of: Awaited<ReturnType<typeof sealedOverhead>>): Figure[] => [
  { name: `${what}: stored overhead / code overhead`, value: of.storedToCode, unit: '' },
  { name: `${what}: allocated overhead / code overhead`, value: of.allocatedToCode, unit: '' },
  { name: `${what}: fill, mean`, value: of.meanFill, unit: '' },
  { name: `${what}: fill, least`, value: of.leastFill, unit: '' },
  { name: `${what}: sealed volumes`, value: of.volumes, unit: '' },
];
