// Writes the lines that are kept from now on.
import fs from 'node:fs';
import { KEPT, keptFile } from './kept.ts';

for (const [name, lines] of Object.entries(KEPT)) fs.writeFileSync(keptFile(name), `${lines().join('\n')}\n`);
