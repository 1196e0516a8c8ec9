/** A larger typed array that begins with what the old one held. */
export function grown<T extends { set(from: T): void }>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}
