// pocketful verify: a pass of the verifiers now, and what it found.
import type { Command } from 'commander';
import type { VerifyReport } from '../../../lib/engine/upkeep/verify.ts';
import { invalid } from '../../../lib/foundation/errors.ts';
import { type VolumeId, volumeId } from '../../../lib/foundation/ids.ts';
import { VERIFIERS, type VerifierName } from '../../../lib/verify/verifier-row.ts';
import { addCommand, type Run } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { Progress } from '../show/progress.ts';
import { bytesText, countOf, countText } from '../show/text.ts';

const VOLUME = /^[0-9a-f]{16}$/;

export function addVerify(program: Command): void {
  addCommand<{ all?: boolean }>(
    program,
    'verify [what...]',
    `read what is due to be verified (${VERIFIERS.join(', ')}; or these volumes), and say what is damaged`,
    verify,
    (command) => command.option('--all', 'everything, whether it is due or not'),
  );
}

async function verify(run: Run, what: readonly string[], { all = false }: { all?: boolean }): Promise<void> {
  const chosen = chosenOf(what);
  const { admin } = await run.open();
  const progress = new Progress('verify', run.clock, 'objects');
  const report = await admin.verify({
    ...chosen,
    // Whoever names volumes means all of them.
    all: all || chosen.volumes !== undefined,
    signal: run.interruption.signal,
    onProgress: ({ looked, bytes, totalBytes }) => progress.show({ items: looked, bytes }, { bytes: totalBytes }),
  });
  progress.end();
  run.answer(report, () => verifyText(report, all));
  if (report.level === 'degraded') run.exitCode = EXIT.degraded;
  if (report.level === 'wrong')
    run.exitCode = report.findings.some(({ severity }) => severity === 'lost') ? EXIT.corrupt : EXIT.failed;
}

/** Names of verifiers and ids of volumes, which are the scrubber's. Throws `invalid` VERIFIER_UNKNOWN. */
function chosenOf(what: readonly string[]): { what?: VerifierName[]; volumes?: VolumeId[] } {
  const names = new Set<VerifierName>();
  const volumes: VolumeId[] = [];
  for (const one of what) {
    const name = VERIFIERS.find((known) => known === one);
    if (name !== undefined) names.add(name);
    else if (VOLUME.test(one)) volumes.push(volumeId(one));
    else throw invalid('VERIFIER_UNKNOWN', `"${one}" is no verifier and no volume: there are ${VERIFIERS.join(', ')}`);
  }
  if (volumes.length > 0) names.add('scrub');
  return { ...(names.size === 0 ? {} : { what: [...names] }), ...(volumes.length === 0 ? {} : { volumes }) };
}

function verifyText(report: VerifyReport, isAll: boolean): string {
  const { findings, moreFindings, level } = report;
  const lines = findings.map(({ severity, check, message }) => `${severity}: ${check}: ${message}`);
  if (moreFindings > 0) lines.push(`… and ${countText(moreFindings)} more`);
  const passes = passLines(report);
  lines.push(...passes);
  if (passes.length === 0 && !isAll) lines.push('nothing is due to be verified (--all: everything)');
  if (!report.done) lines.push('it was cut off: the next pass goes on');
  lines.push(
    level === 'healthy' ? 'nothing is damaged, as far as was looked' : 'DAMAGED: see above, and docs/operations.md',
  );
  return lines.join('\n');
}

/** A line for each verifier that looked at anything. */
function passLines({ scrub, index, sample, trash, journal }: VerifyReport): string[] {
  const lines: string[] = [];
  if (trash !== undefined && trash.volumes > 0)
    lines.push(`trash: ${countOf(trash.volumes, 'emptied volume')}, ${countOf(trash.buckets, 'bucket')} inspected`);
  if (journal !== undefined && journal.objects > 0)
    lines.push(
      `journal: read ${countOf(journal.objects, 'copy', 'copies')} of segments, ${bytesText(journal.bytes)}` +
        (journal.replaced > 0 ? `; ${countOf(journal.replaced, 'damaged one')} written anew` : '') +
        (journal.lostSegments > 0 ? `; ${countOf(journal.lostSegments, 'segment')} sound on no drive` : ''),
    );
  if (sample !== undefined && sample.read > 0)
    lines.push(
      `sample: read ${countText(sample.read)} of ${countOf(sample.sampled, 'sampled block')} back, ${bytesText(sample.bytes)}`,
    );
  if (index !== undefined)
    lines.push(
      `index: ${countOf(index.blocks, 'block')} in ${countOf(index.volumes, 'volume')} held against the directories`,
    );
  if (scrub !== undefined && scrub.volumes + scrub.left.volumes > 0) {
    const { volumes, objects, bytes, left } = scrub;
    const rest = left.volumes === 0 ? '' : `; ${countOf(left.volumes, 'volume')}, ${bytesText(left.bytes)} are left`;
    lines.push(
      `scrub: read ${countOf(objects, 'object')} of ${countOf(volumes, 'volume')}, ${bytesText(bytes)}${rest}`,
    );
  }
  const unread = (scrub?.unread ?? 0) + (index?.unread ?? 0) + (sample?.unread ?? 0) + (journal?.unread ?? 0);
  if (unread > 0) lines.push(`${countText(unread)} could not be looked at now`);
  return lines;
}
