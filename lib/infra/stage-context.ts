// A stage's settings as the context of the CDK app, and what becomes of them at the next deployment: what is not asked
// for stays as it is deployed. Pure; the stack itself says what it was deployed with (output StageOptions).
import type { Settings } from '../settings/settings.ts';
import { STAGE_CONTEXT_KEYS, type StageSettings } from './stage-settings.ts';

export type StageContext = Readonly<Record<string, string>>;

/** What the app parses back into these settings. */
export const contextOf = ({ store, drives, isProtected, ...rest }: StageSettings): StageContext => ({
  ...Object.fromEntries(
    Object.entries(rest)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : String(value)]),
  ),
  // All of them: what is deployed must not hang on a preset that may change.
  settings: JSON.stringify(store),
  drives: String(drives),
  protection: String(isProtected),
});

/** What the stack has no output of its own for. */
export function optionsOf(stage: StageSettings): StageContext {
  const { stage: _, settings, drives, protection, ...options } = contextOf(stage);
  return options;
}

/** A stage as it is deployed. */
export interface DeployedContext {
  readonly settings: Settings;
  readonly drives: number;
  readonly isEphemeral: boolean;
  /** Of its output; empty if an earlier release deployed it. */
  readonly options: StageContext;
}

/** An empty text takes an option away: it is then as if it had never been asked for. */
export function contextAfter(
  known: DeployedContext | undefined,
  asked: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const before = known && {
    ...Object.fromEntries(Object.entries(known.options).filter(([name]) => STAGE_CONTEXT_KEYS.includes(name))),
    settings: JSON.stringify(known.settings),
    drives: known.drives,
    ephemeral: known.isEphemeral,
  };
  const given = Object.entries({ ...before, ...asked });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined && value !== ''));
}
