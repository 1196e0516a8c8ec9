// The entry point of before handler.ts exported it.
export { handler } from './handler.ts';
