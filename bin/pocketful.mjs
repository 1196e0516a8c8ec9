#!/usr/bin/env node
// The command `pocketful`: the CLI (pocketful.ts) through the launcher, so that it runs from any folder, by any Node.
import { launch } from './launch.mjs';

await launch('bin/pocketful.ts', process.argv.slice(2));
