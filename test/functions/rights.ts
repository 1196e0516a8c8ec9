// The ports of a function as its role allows them: what the policy does not grant is refused, as IAM would. Emulators grant everything.
import type { Drive } from '../../lib/drive/drive.ts';
import { denied } from '../../lib/foundation/errors.ts';
import { DRIVE_ACCESS, type DriveAccess, NEVER_WRITTEN, type Worker } from '../../lib/infra/stage-parts.ts';
import type { KekStore } from '../../lib/keys/keys.ts';
import type { Panda, Write } from '../../lib/panda/panda.ts';
import type { Components } from '../../lib/volume/rows/components.ts';

export type Folder = 'frontend' | Worker;

const LOOKS = ['label', 'read', 'list', 'zones'];
const ALLOWED: Readonly<Record<DriveAccess, readonly string[]>> = {
  none: ['label'],
  look: LOOKS,
  append: [...LOOKS, 'append'],
  erase: [...LOOKS, 'append', 'erase'],
};

/** Notes every call of a port; `label` calls nobody. */
export type Noted = (call: string) => void;

function driveOf(drive: Drive, access: DriveAccess, note: Noted): Drive {
  return new Proxy(drive, {
    get(target, name) {
      if (typeof name === 'string' && !ALLOWED[access].includes(name) && name in target)
        throw denied('DRIVE_DENIED', `${name} is not among the rights of a function that may ${access}`);
      if (name !== 'label') note(String(name));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** As `dynamodb:LeadingKeys` with StringNotLike. */
const isNever = (partition: string, never: readonly string[]): boolean =>
  never.some((pattern) => (pattern.endsWith('*') ? partition.startsWith(pattern.slice(0, -1)) : partition === pattern));

function pandaOf(panda: Panda, never: readonly string[], note: Noted): Panda {
  const allow = (writes: readonly Write[]): void => {
    for (const { kind, partition } of writes) {
      if (kind === 'check') continue;
      note(`write ${partition.split('/')[0]}`);
      if (isNever(partition, never)) throw denied('PANDA_DENIED', `no permission to write ${partition}`);
    }
  };
  return new Proxy(panda, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'transact' && name !== 'write') return value.bind(target);
      return (writes: Write | readonly Write[], ...rest: unknown[]) => {
        allow([writes].flat());
        return (value as (...args: unknown[]) => unknown).call(target, writes, ...rest);
      };
    },
  });
}

/** Without any right on the key. */
const NO_KEYS: KekStore = {
  versions: () => Promise.reject(denied('KEK_DENIED', 'a worker has no right on the key')),
  rotate: () => Promise.reject(denied('KEK_DENIED', 'a worker has no right on the key')),
  destroy: () => Promise.reject(denied('KEK_DENIED', 'a worker has no right on the key')),
  kek: () => Promise.reject(denied('KEK_DENIED', 'a worker reads no blob')),
};

export function asRole(components: Components, folder: Folder, note: Noted = () => {}): Components {
  return {
    ...components,
    drives: components.drives.map((drive) => driveOf(drive, DRIVE_ACCESS[folder], note)),
    panda: pandaOf(components.panda, NEVER_WRITTEN[folder], note),
    keks: folder === 'frontend' || folder === 'journal' ? components.keks : NO_KEYS,
  };
}
