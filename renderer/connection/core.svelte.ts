/** The page's one connection to the core: how it stands, calls, events, uploads and downloads. */
import { untrack } from 'svelte';
import { SwitchyardError, fromErrorRecord, type ErrorRecord } from '../../core/contract/errors.ts';
import {
  createClient,
  type Client,
  type CoreEvent,
  type Input,
  type MethodName,
  type Output,
} from '../../core/contract/protocol.ts';
import {
  createSocketTransport,
  type ConnectionState,
  type SocketLike,
  type SocketTransport,
} from '../../core/contract/socketTransport.ts';
import {
  exportPath,
  sessionPath,
  uploadPath,
  type Hello,
  type Uploaded,
} from '../../core/contract/wire.ts';
import { hasToken, takeAddress, type CoreAddress } from './address.ts';

/** `no-token`: this page was opened without its address's token. `refused`: the token is not this core's. */
export type Standing = ConnectionState['state'] | 'no-token' | 'refused';

class Core {
  standing = $state<Standing>('connecting');
  /** Of the latest connection. */
  hello = $state.raw<Hello | null>(null);
  #address: CoreAddress | null = null;
  #transport: SocketTransport | null = null;
  #client: Client | null = null;
  #listeners = new Set<(event: CoreEvent) => void>();
  #onConnect = new Set<() => void>();

  /** Connects for the life of the page. */
  start(): void {
    // Somebody pastes the whole address into this tab, where only its fragment is new.
    window.addEventListener('hashchange', () => {
      if (hasToken(window.location.hash)) window.location.reload();
    });
    this.#address = takeAddress(window);
    if (this.#address === null) {
      this.standing = 'no-token';
      return;
    }
    const { host, token } = this.#address;
    this.#transport = createSocketTransport({
      open: (url, protocols) => new WebSocket(url, protocols) as SocketLike,
      url: `ws://${host}/socket`,
      token,
      setTimeout: (work, milliseconds) => setTimeout(work, milliseconds),
      onState: (state) => this.#changed(state),
    });
    this.#client = createClient(this.#transport);
    this.#transport.subscribe((event) => {
      for (const listener of this.#listeners) listener(event);
    });
  }

  /** @throws SwitchyardError what the core answered, or `interrupted` without a connection */
  call<M extends MethodName>(method: M, input: Input<M>, signal?: AbortSignal): Promise<Output<M>> {
    if (this.#client === null)
      return Promise.reject(
        new SwitchyardError('interrupted', 'This page is not connected to Switchyard’s core.'),
      );
    return this.#client.call(method, input, signal);
  }

  /** Every event of the core; returns a function that ends it. */
  subscribe(listener: (event: CoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Called at every connection, the first and all later ones: events in between were missed, so what
   * the page knows must be read anew.
   */
  onConnect(listener: () => void): () => void {
    this.#onConnect.add(listener);
    // An effect that listens is not to depend on what it listens to.
    untrack(() => {
      if (this.standing === 'connected') listener();
    });
    return () => void this.#onConnect.delete(listener);
  }

  retry(): void {
    this.#transport?.retry();
  }

  /**
   * Streams a file to the core's machine, for `datasets.import`.
   * @param onProgress bytes sent so far
   */
  upload(file: File, onProgress: (sent: number) => void, signal: AbortSignal): Promise<Uploaded> {
    return new Promise((resolve, reject) => {
      // fetch cannot tell how much has been sent.
      const request = new XMLHttpRequest();
      request.open('POST', `${uploadPath}?name=${encodeURIComponent(file.name)}`);
      request.setRequestHeader('Authorization', `Bearer ${this.#address?.token ?? ''}`);
      request.upload.onprogress = ({ loaded }) => onProgress(loaded);
      request.onload = () => {
        if (request.status === 200) resolve(JSON.parse(request.responseText) as Uploaded);
        else reject(errorOf(request.responseText, request.status));
      };
      request.onerror = () =>
        reject(
          new SwitchyardError('interrupted', `The upload of ${file.name} was cut off. Try again.`),
        );
      request.onabort = () =>
        reject(new SwitchyardError('interrupted', `The upload of ${file.name} was cancelled.`));
      signal.addEventListener('abort', () => request.abort(), { once: true });
      request.send(file);
    });
  }

  /** A file of an export, as the browser saves it. */
  async download(name: string, file: string): Promise<Blob> {
    const path = [exportPath, encodeURIComponent(name), encodeURIComponent(file)].join('/');
    const response = await fetch(path, { headers: this.#bearer() });
    if (!response.ok) throw errorOf(await response.text(), response.status);
    return response.blob();
  }

  #bearer(): Record<string, string> {
    return { Authorization: `Bearer ${this.#address?.token ?? ''}` };
  }

  #changed(state: ConnectionState): void {
    // Refusing closes the transport, whose next attempt may be under way: its end is no other news.
    if (this.standing === 'refused') return;
    if (state.state === 'connected') {
      this.hello = state.hello;
      this.standing = 'connected';
      for (const listener of this.#onConnect) listener();
      return;
    }
    this.standing = state.state;
    if (state.state === 'disconnected') void this.#askWhy();
  }

  /** A browser does not tell a refused socket from a dead server; an ordinary request does. */
  async #askWhy(): Promise<void> {
    if (window.location.protocol === 'app:') return;
    try {
      const { status } = await fetch(sessionPath, { headers: this.#bearer() });
      if (status !== 401) return;
      this.#transport?.close();
      this.standing = 'refused';
    } catch {
      // Nobody answers: the core is down, and the transport tries again.
    }
  }
}

function errorOf(body: string, status: number): SwitchyardError {
  try {
    return fromErrorRecord(JSON.parse(body) as ErrorRecord);
  } catch {
    return new SwitchyardError('internal', `The core answered with status ${status}.`);
  }
}

export const core = new Core();
