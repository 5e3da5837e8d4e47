/** The shell's own connection to the core; the page has another one. */
import { createClient, type Client } from '../core/contract/protocol.ts';
import {
  createSocketTransport,
  type ConnectionState,
  type SocketLike,
} from '../core/contract/socketTransport.ts';

export interface CoreConnection {
  readonly client: Client;
  close(): void;
}

/** Connects at once and stays connected. Node's WebSocket sends no Origin, which the core accepts. */
export function connectToCore(
  core: { port: number; token: string },
  onState: (state: ConnectionState) => void,
): CoreConnection {
  const transport = createSocketTransport({
    open: (url, protocols) => new WebSocket(url, protocols) as SocketLike,
    url: `ws://127.0.0.1:${core.port}/socket`,
    token: core.token,
    onState,
    setTimeout: (work, milliseconds) => setTimeout(work, milliseconds),
  });
  return { client: createClient(transport), close: () => transport.close() };
}
