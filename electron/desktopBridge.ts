/** What the page gets from the preload script, over the IPC that it is given. */
import type { IpcRenderer, WebUtils } from 'electron';
import { desktopChannels, type DesktopBridge } from '../core/contract/desktop.ts';
import { unpackAnswer, type DesktopAnswer } from './desktopAnswer.ts';

export interface BridgeParts {
  readonly ipc: Pick<IpcRenderer, 'invoke' | 'on' | 'off'>;
  readonly files: Pick<WebUtils, 'getPathForFile'>;
  readonly platform: string;
}

export function createDesktopBridge({ ipc, files, platform }: BridgeParts): DesktopBridge {
  /** The page gets the value only: an IPC event would hand it the sender. */
  const listen = (channel: string, listener: (value: never) => void): (() => void) => {
    const receive = (_event: unknown, value: unknown): void => listener(value as never);
    ipc.on(channel, receive);
    return () => void ipc.off(channel, receive);
  };
  const request = async (channel: string, input?: unknown): Promise<unknown> =>
    unpackAnswer((await ipc.invoke(channel, input)) as DesktopAnswer);
  return {
    platform,
    pathForFile: (file) => files.getPathForFile(file as File),
    chooseTexts: async () => (await request(desktopChannels.chooseTexts)) as string[],
    chooseSave: async (options) =>
      (await request(desktopChannels.chooseSave, options)) as string | null,
    showInFolder: async (path) => {
      await request(desktopChannels.showInFolder, path);
    },
    onMenu: (listener) => listen(desktopChannels.menu, listener),
    onShowRun: (listener) => listen(desktopChannels.showRun, listener),
  };
}
