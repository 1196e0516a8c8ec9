// The contract of Panda where a thread commits: as many threads are started as there are tests and files opened again.
import { sqliteContract } from './sqlite-contract.ts';

sqliteContract('SQLite, committed by a thread', 0);
