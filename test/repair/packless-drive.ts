import type { Drive } from '../../lib/drive/drive.ts';
import { driveReadOnly } from '../../lib/drive/errors.ts';
import { FaultyDrive } from '../../lib/drive/faulty-drive.ts';
import { DIRECTORY_PACK_NAME } from '../../lib/format/object-names.ts';

/** One that takes everything but packs of directories: what is sealed on such drives only stays pending. */
export function packlessDrive(drive: Drive): Drive {
  const picky = new FaultyDrive(drive);
  const append = picky.append.bind(picky);
  picky.append = async (at, name, ...rest) => {
    if (name === DIRECTORY_PACK_NAME) throw driveReadOnly(drive.label);
    return append(at, name, ...rest);
  };
  return picky;
}
