// npm run golden: what pure parts are meant to make of them from now on. Read the difference before it is committed.
import fs from 'node:fs';
import { GOLDEN, goldenFile, LONG_GOLDEN, partText } from './golden.ts';

for (const [name, lines] of Object.entries(GOLDEN))
  fs.writeFileSync(goldenFile(name), `${(await lines()).join('\n')}\n`);
for (const [name, parts] of Object.entries(LONG_GOLDEN)) {
  const texts: string[] = [];
  for (const [part, lines] of Object.entries(parts)) texts.push(partText(part, await lines()));
  fs.writeFileSync(goldenFile(name), texts.join(''));
}
