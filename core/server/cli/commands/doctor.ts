import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { withCore } from '../session.ts';
import { table } from '../table.ts';

/** `doctor`: what this machine can compute with, and what would bring the rest. */
export function doctor(program: Command, context: () => Context): void {
  program
    .command('doctor')
    .description('list the backends of this machine; for absent ones, why and what would help')
    .action(async () => {
      const { out } = context();
      const devices = await withCore(context(), ({ client }) => client.call('devices.list', {}));
      const chosen = devices.find(({ available }) => available)?.backend;
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
