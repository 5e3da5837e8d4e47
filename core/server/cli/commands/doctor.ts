import type { Command } from 'commander';
import { defaultBackend } from '../../../contract/devices.ts';
import * as format from '../../../contract/format.ts';
import type { GpuReport } from '../../../contract/records.ts';
import type { Context } from '../context.ts';
import { withCore } from '../session.ts';
import type { Paint } from '../output.ts';
import { pairs, table } from '../table.ts';

/** `doctor`: what this machine can compute with, and what would bring the rest. */
export function doctor(program: Command, context: () => Context): void {
  program
    .command('doctor')
    .description('list the backends of this machine; for absent ones, why and what would help')
    .action(async () => {
      const { out } = context();
      const devices = await withCore(context(), ({ client }) => client.call('devices.list', {}));
      const chosen = defaultBackend(devices);
      for (const device of devices)
        out.record({ type: 'device', ...device, default: device.backend === chosen });
      out.line(
        ...table(
          [{ title: 'Backend' }, { title: 'State' }, { title: 'Device' }],
          devices.map(({ backend, available, device }) => [
            backend,
            available ? (backend === chosen ? 'available, default' : 'available') : 'absent',
            device,
          ]),
          out.paint,
        ),
      );
      for (const { gpu } of devices) if (gpu !== null) out.line('', ...gpuLines(gpu, out.paint));
      const absent = devices.filter(({ available }) => !available);
      if (absent.length > 0) out.line('');
      for (const { backend, reason } of absent)
        out.line(`${out.paint('yellow', backend)}: ${reason}`);
      out.line(
        '',
        out.paint('dim', `Node ${process.version}, ${process.platform} ${process.arch}`),
      );
    });
}

/** What WebGPU found, and what of it matters to training. */
function gpuLines(gpu: GpuReport, paint: Paint): string[] {
  const units = gpu.matrixUnits.map((shape) => shape.join(' × ')).join(', ');
  const software = 'no: a program that imitates a GPU; used only if asked for';
  return pairs(
    [
      ['GPU of webgpu', gpu.name],
      ['driver', gpu.driver === '' ? 'unknown' : gpu.driver],
      ['hardware', gpu.software ? software : 'yes'],
      ['half precision', gpu.f16 ? 'yes (--precision f16)' : 'no'],
      ['matrix units', units === '' ? 'none usable' : `f16 ${units}`],
      ['largest tensor', format.bytes(gpu.bindingBytes)],
      ['largest buffer', format.bytes(gpu.bufferBytes)],
    ],
    paint,
  );
}
