// `~` at the beginning of a path. A shell does that where it begins a word, which it does not in `file:~/store` and
// `--to=~/x`.
import { homedir } from 'node:os';
import { join } from 'node:path';

export const homePath = (path: string): string =>
  path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
