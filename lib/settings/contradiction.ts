// What of a store is for good, and whether somebody asks for something else: settings never change, drives are only
// added.
import type { Settings } from './settings.ts';

export interface StoreShape {
  readonly settings: Settings;
  readonly driveCount: number;
}

/**
 * One clause naming the first setting that differs, or the drives that would go; undefined when nothing contradicts.
 */
export function contradictionOf(known: StoreShape, asked: StoreShape): string | undefined {
  for (const name of Object.keys(known.settings) as (keyof Settings)[])
    if (known.settings[name] !== asked.settings[name])
      return `${name} is ${known.settings[name]} for good, not ${asked.settings[name]}`;
  if (asked.driveCount < known.driveCount)
    return `it has ${known.driveCount} drives and cannot do with ${asked.driveCount}: drives are only added; one that is to go is emptied (pocketful drives drain N) and stays, at no cost`;
  return undefined;
}
