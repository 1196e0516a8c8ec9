// Answers CloudFormation, which asks before it changes a stage: may the store have these settings and so many drives?
// The reason of a refusal is what the person who deploys reads.
import * as z from 'zod';
import { isKind, isPocketfulError } from '../../lib/foundation/errors.ts';
import { GUARD_ATTEMPTS_MAX, GUARD_DRIVES_NAMED_MAX, GUARD_WAIT_MS } from '../../lib/limits/stage.ts';
import type { Panda, Row } from '../../lib/panda/panda.ts';
import { driveFromRow, driveKey } from '../../lib/panda/rows/drives/drive-row.ts';
import { storeFromRow, storeKey } from '../../lib/panda/rows/store-row.ts';
import { contradictionOf } from '../../lib/settings/contradiction.ts';
import { parseSettings } from '../../lib/settings/settings.ts';

const eventSchema = z.object({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  ResponseURL: z.string().min(1),
  StackId: z.string().min(1),
  RequestId: z.string().min(1),
  LogicalResourceId: z.string().min(1),
  PhysicalResourceId: z.string().optional(),
  ResourceProperties: z.object({ settings: z.string(), drives: z.coerce.number().int().positive() }),
});

export interface GuardAnswer {
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly Reason: string;
  readonly PhysicalResourceId: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
}

export interface GuardParts {
  readonly panda: Panda;
  /** Sends the answer to where CloudFormation waits for it. */
  readonly respond: (url: string, answer: GuardAnswer) => Promise<void>;
  readonly wait: (ms: number) => Promise<void>;
}

export async function guard(parts: GuardParts, input: unknown): Promise<GuardAnswer> {
  const event = eventSchema.parse(input);
  const reason = event.RequestType === 'Delete' ? undefined : await refusalOf(parts, event.ResourceProperties);
  const answer: GuardAnswer = {
    Status: reason === undefined ? 'SUCCESS' : 'FAILED',
    Reason: reason ?? 'the settings are those of the store',
    PhysicalResourceId: event.PhysicalResourceId ?? 'settings',
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
  };
  await parts.respond(event.ResponseURL, answer);
  return answer;
}

/** Anything that keeps it from looking is a refusal too: a store that cannot be read is not to be changed. */
async function refusalOf(parts: GuardParts, asked: { settings: string; drives: number }): Promise<string | undefined> {
  try {
    const found = await storeRow(parts);
    if (found === undefined) return undefined;
    const { settings, drives } = storeFromRow(found);
    const known = { settings, driveCount: drives.length };
    const why = contradictionOf(known, {
      settings: parseSettings(JSON.parse(asked.settings)),
      driveCount: asked.drives,
    });
    if (why === undefined) return undefined;
    const going = await statesOf(parts, asked.drives, drives);
    return `the stage contradicts its store: ${why}${going}; deploy it as it was (STAGE_CONTRADICTS)`;
  } catch (error) {
    const code = isPocketfulError(error) ? ` (${error.code})` : '';
    return `the store's settings could not be checked: ${error instanceof Error ? error.message : String(error)}${code}`;
  }
}

/** Which drives would go, and what is said of them; nothing if none would. */
async function statesOf({ panda }: GuardParts, count: number, drives: readonly string[]): Promise<string> {
  const going: string[] = [];
  for (const [i, bucket] of drives.slice(count).entries()) {
    const row = await panda.get(driveKey(count + i));
    going.push(`drive ${count + i} (${bucket}) is ${row === undefined ? 'active' : driveFromRow(row).state}`);
  }
  return going.length === 0 ? '' : `; ${going.slice(0, GUARD_DRIVES_NAMED_MAX).join(', ')}`;
}

async function storeRow({ panda, wait }: GuardParts): Promise<Row | undefined> {
  for (let times = 1; ; times++)
    try {
      return await panda.get(storeKey);
    } catch (error) {
      if (!isKind(error, 'denied') || times > GUARD_ATTEMPTS_MAX) throw error;
      await wait(GUARD_WAIT_MS);
    }
}
