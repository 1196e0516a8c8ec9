// Making a store on this machine, and opening the default one that is made on its first use.
import { createEmbedded, openEmbedded } from '../../engine/wire/embedded.ts';
import { type Clock, systemClock } from '../../foundation/clock.ts';
import { invalid, isKind } from '../../foundation/errors.ts';
import { type Randomness, systemRandomness } from '../../foundation/randomness.ts';
import { PRESETS, type PresetName, parseSettings, type Settings } from '../../settings/settings.ts';
import { DEFAULT_NAMESPACE } from '../face.ts';
import { EmbeddedClient } from './embedded-client.ts';

export interface NewStore {
  readonly preset?: string | undefined;
  /** A whole bundle, or changes to the preset. */
  readonly settings?: unknown;
  readonly drives?: number | readonly string[] | undefined;
  /** By drive. */
  readonly domains?: readonly string[] | undefined;
  readonly namespace?: string | undefined;
  readonly clock?: Clock;
  readonly randomness?: Randomness;
}

export const DEFAULT_PRESET: PresetName = 'personal';

/** Throws `invalid` PRESET_UNKNOWN or SETTINGS_INVALID. */
export function settingsFor({ preset, settings }: Pick<NewStore, 'preset' | 'settings'>): Settings {
  const name = preset ?? DEFAULT_PRESET;
  if (!Object.hasOwn(PRESETS, name))
    throw invalid('PRESET_UNKNOWN', `there is no preset "${name}": ${Object.keys(PRESETS).join(', ')}`);
  if (settings === undefined) return PRESETS[name as PresetName];
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings))
    throw invalid('SETTINGS_INVALID', 'settings are one JSON object');
  return parseSettings({
    ...PRESETS[name as PresetName],
    ...(preset === undefined ? { preset: 'custom' } : {}),
    ...settings,
  });
}

/** Throws `conflict` STORE_EXISTS. */
export async function createStore(dir: string, wanted: NewStore): Promise<EmbeddedClient> {
  const { clock = systemClock, randomness = systemRandomness, drives, namespace = DEFAULT_NAMESPACE } = wanted;
  const settings = settingsFor(wanted);
  const engine = await createEmbedded(dir, {
    settings,
    clock,
    randomness,
    domains: wanted.domains,
    ...(drives === undefined ? {} : { drives }),
  });
  return new EmbeddedClient(`file:${dir}`, engine, namespace);
}

/** Opens the store, or makes it where there is none. `created` tells which. */
export async function openOrCreate(
  dir: string,
  wanted: NewStore,
): Promise<{ client: EmbeddedClient; created: boolean }> {
  const { clock = systemClock, randomness = systemRandomness, namespace = DEFAULT_NAMESPACE } = wanted;
  const open = async (): Promise<EmbeddedClient> =>
    new EmbeddedClient(`file:${dir}`, await openEmbedded(dir, { clock, randomness }), namespace);
  try {
    return { client: await open(), created: false };
  } catch (error) {
    if (!isKind(error, 'missing')) throw error;
  }
  try {
    return { client: await createStore(dir, wanted), created: true };
  } catch (error) {
    if (!isKind(error, 'conflict') || error.code !== 'STORE_EXISTS') throw error;
    return { client: await open(), created: false }; // another process made it meanwhile
  }
}
