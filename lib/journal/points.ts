// Points of a store's history, and the names of segments between them. A name says all that planning needs: from and
// to which point, as of when, of which level, and which part of the segment the object is.
import { SEGMENT_PARTS_MAX } from '../limits/journal.ts';

/** A COMMIT: its number, and four random bytes of it as hex, which tell two lines of one number apart. */
export interface Point {
  readonly sequence: number;
  readonly mark: string;
}

/** What a snapshot begins at. */
export const NOTHING: Point = { sequence: 0, mark: '00000000' };

/** `snapshot`: every row. 0: as shipped; n + 1: several of n merged. */
export type Level = number | 'snapshot';
export const LEVELS = 10;

export interface SegmentHead {
  readonly level: Level;
  readonly from: Point;
  readonly to: Point;
  /** When `to` was committed, by the clock of who did. */
  readonly atMs: number;
  /** Four hex digits, random: two writers of one segment do not meet in a name. */
  readonly id: string;
}

export interface PartName extends SegmentHead {
  readonly part: number;
  readonly isLast: boolean;
}

const NAME =
  /^(s|[0-9])([0-9a-f]{10})([0-9a-f]{8})-([0-9a-f]{10})([0-9a-f]{8})-([0-9a-f]{11})-([0-9a-f]{4})-([0-9a-f]{4})(e?)$/;

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** The same of all parts of a segment, and of no other's. */
export const stemOf = ({ level, from, to, atMs, id }: SegmentHead): string =>
  `${level === 'snapshot' ? 's' : level}${hex(from.sequence, 10)}${from.mark}-${hex(to.sequence, 10)}${to.mark}-${hex(atMs, 11)}-${id}`;

export const partNameOf = (head: SegmentHead, part: number, isLast: boolean): string =>
  `${stemOf(head)}-${hex(part, 4)}${isLast ? 'e' : ''}`;

/** Undefined: no name of a segment. */
export function parsePartName(name: string): PartName | undefined {
  const found = NAME.exec(name);
  if (found === null) return undefined;
  const [, level = '', from = '', fromMark = '', to = '', toMark = '', at = '', id = '', part = '', end = ''] = found;
  const isSnapshot = level === 's';
  const head = {
    level: isSnapshot ? ('snapshot' as const) : Number(level),
    from: { sequence: Number.parseInt(from, 16), mark: fromMark },
    to: { sequence: Number.parseInt(to, 16), mark: toMark },
    atMs: Number.parseInt(at, 16),
    id,
  };
  const isFromNothing = head.from.sequence === 0;
  if (isSnapshot !== isFromNothing || head.to.sequence <= head.from.sequence) return undefined;
  if (isFromNothing && fromMark !== NOTHING.mark) return undefined;
  const number = Number.parseInt(part, 16);
  return number > SEGMENT_PARTS_MAX ? undefined : { ...head, part: number, isLast: end === 'e' };
}

export const samePoint = (a: Point, b: Point): boolean => a.sequence === b.sequence && a.mark === b.mark;
export const pointText = ({ sequence, mark }: Point): string => `${sequence}.${mark}`;
