// npm run golden [-- NAME …]: what pure parts are meant to make of them from now on, of all files or those named. Read the difference before it is committed.
import fs from 'node:fs';
import { GOLDEN, goldenFile, LONG_GOLDEN, partText } from './golden.ts';
import { READS } from './reads/reads.ts';

const names = process.argv.slice(2);
const isWanted = (name: string): boolean => names.length === 0 || names.includes(name);

for (const [name, lines] of Object.entries(GOLDEN))
  if (isWanted(name)) fs.writeFileSync(goldenFile(name), `${(await lines()).join('\n')}\n`);
for (const [name, parts] of Object.entries({ ...LONG_GOLDEN, reads: READS })) {
  if (!isWanted(name)) continue;
  const texts: string[] = [];
  for (const [part, lines] of Object.entries(parts)) texts.push(partText(part, await lines()));
  fs.writeFileSync(goldenFile(name), texts.join(''));
}
