import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** O_CLOEXEC, as Linux writes it into `/proc/PID/fdinfo`. */
const closedInPrograms = 0o2_000_000;

/** What every program that the process starts would inherit beside its standard streams: `fd -> what it is`. */
export function inheritedDescriptors(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
    if (Number(descriptor) <= 2) return [];
    try {
      const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8'))?.[1];
      if ((parseInt(flags ?? '0', 8) & closedInPrograms) !== 0) return [];
      return [`${descriptor} -> ${readlinkSync(`/proc/${pid}/fd/${descriptor}`)}`];
    } catch {
      return []; // closed meanwhile
    }
  });
}
