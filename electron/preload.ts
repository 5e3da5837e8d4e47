/** Runs sandboxed before the page and gives it `window.switchyard`, nothing else. */
import { contextBridge, ipcRenderer, webUtils } from 'electron';
import { createDesktopBridge } from './desktopBridge.ts';

contextBridge.exposeInMainWorld(
  'switchyard',
  createDesktopBridge({ ipc: ipcRenderer, files: webUtils, platform: process.platform }),
);
