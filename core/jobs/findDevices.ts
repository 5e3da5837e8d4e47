import { fork } from 'node:child_process';
import { SwitchyardError } from '../contract/errors.ts';
import { backendNames, type BackendName, type DeviceReport } from '../contract/records.ts';

/**
 * Looks for devices in a process of its own: it loads every library, whose memory would otherwise
 * count as that of the run that follows, and a broken one ends that process and not the core.
 * @param program what looks; tests give another
 * @returns a report a backend, in the order of `backends`
 */
export async function findDevices(
  backends: readonly BackendName[] = backendNames,
  program: URL = new URL('./findDevicesProcess.ts', import.meta.url),
): Promise<DeviceReport[]> {
  const { reports, how } = await look(backends, program);
  const [culprit, ...rest] = backends.slice(reports.length);
  if ((culprit as BackendName | undefined) === undefined) return reports;
  // Reports come in order, so what ended the process early was the first one missing.
  const reason = `Loading it ended the process that tried (${how}); install it again.`;
  const failed = { backend: culprit, available: false, device: '', reason, gpu: null };
  return [...reports, failed, ...(await findDevices(rest, program))];
}

function look(
  backends: readonly BackendName[],
  program: URL,
): Promise<{ reports: DeviceReport[]; how: string }> {
  // Libraries greet on their own outputs; what matters comes as messages.
  const child = fork(program, backends, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const reports: DeviceReport[] = [];
  child.on('message', (report) => reports.push(report as DeviceReport));
  return new Promise((resolve, reject) => {
    child.on('error', (cause) =>
      reject(
        new SwitchyardError(
          'internal',
          `The search for devices could not start: ${cause.message}.`,
          { cause },
        ),
      ),
    );
    child.on('close', (code, signal) =>
      resolve({ reports, how: signal ?? `exit code ${String(code)}` }),
    );
  });
}
