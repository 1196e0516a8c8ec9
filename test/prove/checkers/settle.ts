// Once faults have ended everything comes to rest: what is half done is brought to an end, what is deleted is gone, nothing is left over, and
// every key reads as one of the values it may have.
import { drain } from '../../../lib/compaction/do/drain.ts';
import { endDrains } from '../../../lib/compaction/do/drainer.ts';
import { findRowFaults } from '../../../lib/engine/doctor/doctor-rows.ts';
import { findVolumeFaults } from '../../../lib/engine/doctor/doctor-volumes.ts';
import { changeDrive } from '../../../lib/engine/drives/change-drive.ts';
import { recover } from '../../../lib/engine/upkeep/end-dead-work.ts';
import { isKind } from '../../../lib/foundation/errors.ts';
import { collectGarbage } from '../../../lib/gc/collect-garbage.ts';
import { blocksByKekVersion, rewrapKeys } from '../../../lib/gc/rewrap-keys.ts';
import { QUARANTINE_MS } from '../../../lib/limits/volume.ts';
import { encodeHot } from '../../../lib/live-coder/encode-hot.ts';
import { VOLUME_CLASSES } from '../../../lib/panda/rows/volume-row.ts';
import { Findings } from '../../../lib/verify/findings.ts';
import { lookAtVolume } from '../../../lib/volume/check/look.ts';
import { repairStore } from '../../../lib/volume/repair/repair-store.ts';
import { listDamage } from '../../../lib/volume/rows/damage.ts';
import { readDriveRows } from '../../../lib/volume/rows/drive-states.ts';
import { listVolumes, readVolume } from '../../../lib/volume/rows/read-rows.ts';
import { freeTrash } from '../../../lib/volume/runs/free.ts';
import { expectSound } from '../../store/recount.ts';
import { get } from '../actors/client.ts';
import { actorsOf } from '../actors/mover.ts';
import { NAMESPACES, nameOf } from '../actors/names.ts';
import type { Acting, SimWorld } from '../actors/sim-world.ts';
import { linearizable } from '../model/linearizable.ts';
import { isLeftByRepair } from './damage.ts';
import { expectNothingLeft, isPackTorn } from './leaks.ts';
import { expectRedundant } from './redundancy.ts';
import { Violation } from './violation.ts';

/** Whatever was under way when faults ended has landed by then, and no clock that was wrong made a grace longer. */
const QUIET_MS = 2 * 3_600_000;
const GRACE_MS = 50_000;

/** What an operator's schedules do, each once, by a process that knows that all others are gone. */
export async function settle(world: SimWorld, acting: Acting): Promise<void> {
  const { volumes, frontend, components } = acting;
  await components.clock.sleep(QUIET_MS);
  await recover(volumes, frontend, { sweep: true });
  await endDrains(volumes);
  await volumes.open.sealAll('hot');
  await encodeHot(volumes, { force: true, flush: true });
  await collectGarbage(components);
  await components.clock.sleep(GRACE_MS);
  await collectGarbage(components);
  await drain(volumes, actorsOf(acting).makeTarget, { fillPermilleMax: 200, sourcesMax: 3 });
  await freeTrash(volumes);
  // What belongs to nothing is in quarantine first.
  await recover(volumes, frontend, { sweep: true });
  await components.clock.sleep(QUARANTINE_MS);
  await recover(volumes, frontend, { sweep: true });
  if (world.wasPutBack) {
    // What a newer Panda left where directories are to be cannot be overwritten: a repair moves the column.
    await repairStore(volumes, { ignoreGrace: true });
    await recover(volumes, frontend, { sweep: true });
    await repairStore(volumes, { ignoreGrace: true });
  }
  await expectRewrapped(world, acting);
  await expectDamageTrue(world, acting);
  if (world.plan.workers.some(({ role }) => role === 'operator')) await expectRepaired(world, acting);
  await readEverything(world, acting);
}

/** With all drives back, and doctor's findings noted: a repair makes everything whole, and gives back what it replaced. */
async function expectRepaired(world: SimWorld, { components, volumes, frontend }: Acting): Promise<void> {
  for (const { drive, state } of (await readDriveRows(components)).values())
    if (state !== 'active') await changeDrive(volumes, drive, { state: 'active' });
  // What is open is not repaired; doctor has noted what is wrong with it.
  for (const cls of VOLUME_CLASSES) await volumes.open.sealAll(cls);
  for (let pass = 0; pass < 2; pass++) {
    const { lost, left } = await repairStore(volumes, { ignoreGrace: true });
    if (world.mayHaveLost || pass === 0) continue;
    if (lost.length + left.length > 0)
      throw new Violation('wrong', `a repair leaves ${JSON.stringify([...lost, ...left]).slice(0, 400)}`);
  }
  if (world.mayHaveLost) return;
  await components.clock.sleep(QUARANTINE_MS);
  await repairStore(volumes, { ignoreGrace: true });
  await recover(volumes, frontend, { sweep: true });
  for (const volume of await listVolumes(components.panda, components.settings.cell)) {
    const look = await lookAtVolume(volumes, volume, { read: true });
    const [damage] = look?.damage ?? [];
    if (damage !== undefined)
      throw new Violation(
        'wrong',
        `after a repair: ${damage.kind} part ${damage.part} column ${damage.column} of volume ${volume.id}`,
      );
  }
}

/** A rotation that nobody disturbs leaves no block under an older key. */
async function expectRewrapped(world: SimWorld, { components }: Acting): Promise<void> {
  if (!world.plan.workers.some(({ role }) => role === 'keys')) return;
  await components.keks.rotate();
  const { version } = await rewrapKeys(components);
  for (const [older, blocks] of await blocksByKekVersion(components))
    if (older !== version && !world.mayHaveLost)
      throw new Violation('wrong', `${blocks} blocks are wrapped by version ${older} after a rotation to ${version}`);
}

/** After doctor's look nothing is noted of volumes that are gone, nor of drives that lost nothing and were given all there was. */
async function expectDamageTrue(world: SimWorld, { components, volumes }: Acting): Promise<void> {
  const findings = new Findings();
  await findVolumeFaults(volumes, new Set(), findings, { read: true });
  const [lost] = findings.list.filter(({ severity }) => severity === 'lost');
  if (lost !== undefined && !world.mayHaveLost) throw new Violation('wrong', `doctor, of the drives: ${lost.message}`);
  for (const { volume, generation, column, kind, part, reason } of await listDamage(components)) {
    const held = await readVolume(components.panda, components.settings.cell, volume);
    const extent = held?.generation === generation ? held.extents[column] : undefined;
    if (extent === undefined)
      throw new Violation('wrong', `damage is noted of generation ${generation} of volume ${volume}`);
    const { drive } = extent;
    if (part === 'pack' && isPackTorn(world, extent)) continue;
    if (!world.lossyDrives.has(drive) && !world.wasPutBack && !isLeftByRepair(world, { part, kind, extent }))
      throw new Violation(
        'wrong',
        `damage is noted on sound drive ${drive}: ${kind} ${reason} part ${part} column ${column} of volume ${volume}`,
      );
  }
}

async function readEverything(world: SimWorld, acting: Acting): Promise<void> {
  for (const key of world.history.keys()) await get(world, acting, key);
}

/** Nothing moves any more: histories, the list, rows and drives. */
export async function expectAtRest(world: SimWorld): Promise<void> {
  for (const key of world.history.keys()) {
    const verdict = linearizable(world.history.of(key));
    if (verdict.isLinearizable) continue;
    const told = world.history
      .of(key)
      .map(
        ({ kind, value, from, to, result, seen, process }) =>
          `${process} ${kind} ${value ?? ''} [${from},${to ?? '…'}] ${result}${seen === undefined ? '' : ` saw ${seen.map((one) => one ?? 'nothing').join('|')}`}`,
      );
    throw new Violation('history', `${key}: no register has this history:\n  ${told.join('\n  ')}`);
  }
  const direct = world.direct();
  await expectListed(world, direct);
  try {
    await expectSound(direct);
    await expectNoRowFaults(direct);
  } catch (error) {
    // Beyond what the code survives, that something is lost is an answer.
    if (world.mayHaveLost && isKind(error, 'corrupt')) return;
    throw new Violation('wrong', `rows: ${error instanceof Error ? error.message : error}`, error);
  }
  await expectNothingLeft(world);
  await expectRedundant(world);
}

/** Doctor's recount, which also knows whose every segment is. */
async function expectNoRowFaults({ components }: Acting): Promise<void> {
  const findings = new Findings();
  await findRowFaults(components, findings);
  const [wrong] = findings.list.filter(({ severity }) => severity === 'wrong' || severity === 'lost');
  if (wrong !== undefined) throw new Error(`doctor: ${wrong.message}`);
}

/** What is listed is what reads, no more and no less. */
async function expectListed(world: SimWorld, direct: Acting): Promise<void> {
  const listed = new Set<string>();
  for (const namespace of NAMESPACES) {
    let from: string | undefined;
    do {
      const page = await direct.frontend.list({ namespace, ...(from === undefined ? {} : { from }) });
      for (const { key } of page.objects) listed.add(nameOf(namespace, key));
      from = page.next;
    } while (from !== undefined);
  }
  for (const key of world.history.keys()) {
    const last = world.history.of(key).at(-1);
    const isThere = last?.seen?.some((value) => value !== undefined) === true;
    if (last?.result === 'ok' && isThere !== listed.has(key))
      throw new Violation('wrong', `${key} ${isThere ? 'reads, but is not listed' : 'is listed, but does not read'}`);
    listed.delete(key);
  }
  for (const key of listed) throw new Violation('wrong', `${key} is listed, but nobody put it`);
}
