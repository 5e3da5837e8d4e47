/**
 * A software Vulkan for the tests of the WebGPU backend: SwiftShader, which comes with Chromium, as
 * does the loader that finds it. It is slow and has no half precision, but every machine computes the
 * same with it.
 */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const places = ['/usr/lib/chromium/vk_swiftshader_icd.json'];

/**
 * Lets processes that are started from here on find it and no other driver. A driver that was chosen
 * before (`VK_DRIVER_FILES`) stays. Where there is none to be had, nothing is changed.
 */
export function useSoftwareVulkan(env: NodeJS.ProcessEnv = process.env): void {
  const driver = places.find((path) => existsSync(path));
  if (env['VK_DRIVER_FILES'] !== undefined || driver === undefined) return;
  env['VK_DRIVER_FILES'] = driver;
  const folder = dirname(driver);
  if (!existsSync(join(folder, 'libvulkan.so.1'))) return;
  const before = env['LD_LIBRARY_PATH'];
  env['LD_LIBRARY_PATH'] = before === undefined ? folder : `${folder}:${before}`;
}
