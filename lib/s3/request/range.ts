// The Range header: one range of bytes. Anything else that may stand there is passed over, as RFC 9110 has it.
import { S3Fault } from '../fault.ts';

export interface ByteSpan {
  readonly offset: number;
  readonly length: number;
}

/** Undefined: the whole of it. Throws InvalidRange if no byte of it is there. */
export function spanOf(header: string | undefined, sizeBytes: number): ByteSpan | undefined {
  const found = /^\s*bytes\s*=\s*(\d{0,16})\s*-\s*(\d{0,16})\s*$/i.exec(header ?? '');
  if (found === null) return undefined;
  const [, first = '', last = ''] = found;
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes);
    if (length === 0) throw unsatisfiable(header, sizeBytes);
    return { offset: sizeBytes - length, length };
  }
  const offset = Number(first);
  if (last !== '' && Number(last) < offset) return undefined;
  if (offset >= sizeBytes) throw unsatisfiable(header, sizeBytes);
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  return { offset, length: end - offset + 1 };
}

/** x-amz-copy-source-range: both ends, within the source. */
export function copySpanOf(header: string, sizeBytes: number): ByteSpan {
  const [, first, last] = /^bytes=(\d{1,16})-(\d{1,16})$/.exec(header) ?? [];
  if (first === undefined || Number(last) < Number(first))
    throw new S3Fault('InvalidArgument', 'the x-amz-copy-source-range value must be of the form bytes=first-last');
  if (Number(last) >= sizeBytes)
    throw new S3Fault('InvalidRange', `range specified is not valid for source object of size: ${sizeBytes}`);
  return { offset: Number(first), length: Number(last) - Number(first) + 1 };
}

const unsatisfiable = (header: string | undefined, sizeBytes: number): S3Fault =>
  new S3Fault('InvalidRange', 'the requested range is not satisfiable', {
    RangeRequested: (header ?? '').slice(0, 80),
    ActualObjectSize: String(sizeBytes),
  });
