import { defaultBackend } from '../../contract/devices.ts';
import type { BackendName } from '../../contract/records.ts';

/** The backend that was asked for, or this machine's default, which is looked for in another process. */
export async function chooseBackend(asked: BackendName | undefined): Promise<BackendName> {
  if (asked !== undefined) return asked;
  const { findDevices } = await import('../../jobs/findDevices.ts');
  return defaultBackend(await findDevices()) ?? 'reference';
}
