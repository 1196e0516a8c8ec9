// How the text of a message travels in SQS, which takes neither empty bodies nor every character: such ones go in
// base64 behind a mark, all others as they are, so that people can read the queue.
const MARK = 'base64:';

/** What SQS takes (the characters of XML 1.0), and is not the mark itself. */
const isPlain = (text: string): boolean =>
  text !== '' &&
  !text.startsWith(MARK) &&
  /^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]*$/u.test(text);

export const sqsBody = (text: string): string =>
  isPlain(text) ? text : `${MARK}${Buffer.from(text, 'utf8').toString('base64')}`;

/** What was sent; a body that is none of ours is what it is. */
export const textOfSqsBody = (body: string): string =>
  body.startsWith(MARK) ? Buffer.from(body.slice(MARK.length), 'base64').toString('utf8') : body;
