// npm run golden: what pure parts are meant to make of them from now on. Read the difference before it is committed.
import fs from 'node:fs';
import { GOLDEN, goldenFile } from './golden.ts';

for (const [name, lines] of Object.entries(GOLDEN)) fs.writeFileSync(goldenFile(name), `${lines().join('\n')}\n`);
