/**
 * Loaded into every launched process before its entry. The channel to the launcher closes when the
 * launcher dies, however it dies; then this process, and what it started, is told to end too
 * instead of training on with nobody to stop it.
 *
 * Workers and child processes inherit the `--import` of this file, but not the variable.
 */

if (process.env['SWITCHYARD_LIFELINE']) {
  delete process.env['SWITCHYARD_LIFELINE'];
  process.once('disconnect', () => {
    process.kill(process.platform === 'win32' ? process.pid : -process.pid, 'SIGTERM');
  });
  process.channel?.unref();
}
