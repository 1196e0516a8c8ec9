// npm run golden: what planners are meant to do from now on. Read the difference before it is committed.
import fs from 'node:fs';
import { GOLDEN, goldenFile } from './golden-lines.ts';

for (const [name, lines] of Object.entries(GOLDEN)) fs.writeFileSync(goldenFile(name), `${lines().join('\n')}\n`);
