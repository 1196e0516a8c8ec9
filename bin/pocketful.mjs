#!/usr/bin/env node
// The command `pocketful`: the CLI (cli.mjs) through the launcher, so that it runs from any folder, by any Node.
import { launch } from './launch.mjs';

await launch('bin/cli.mjs', process.argv.slice(2));
