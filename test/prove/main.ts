// npm run prove -- --seeds N [--seed FIRST] [--profile P] [--workers W] [--json] [--trace] [--cut JSON] [--plant NAME]
// [--aim REGEXP]. A bug is planted before
// anything else is loaded.
import { PLANTS } from './planted/plants.ts';
import { sow } from './planted/sow.ts';

const at = process.argv.indexOf('--plant');
if (at >= 0) {
  const name = process.argv[at + 1];
  const plant = PLANTS.find((one) => one.name === name);
  if (plant === undefined)
    throw new Error(`no planted bug is called ${name}; there are: ${PLANTS.map((one) => one.name).join(', ')}`);
  sow(plant);
}
await import('./command.ts');
