/** A connection of which every wait can be interrupted, and which may turn into TLS on the way. */

const ignore = () => undefined;

export class Line {
  #socket: Socket;
  #interrupted: Error | null = null;
  #reject: ((reason: Error) => void) | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.closed.catch(ignore);
  }

  /** Waits for a step of the connection; one at a time. @throws the reason of an interruption */
  wait<Value>(step: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      step.then(resolve, reject);
      if (this.#interrupted !== null) reject(this.#interrupted);
    });
  }

  /** Ends the connection, and whatever waits for it. */
  interrupt(reason: Error): void {
    this.#interrupted ??= reason;
    this.#reject?.(reason);
    this.close();
  }

  close(): void {
    this.#socket.close().catch(ignore);
  }

  get opened(): Promise<unknown> {
    return this.wait(this.#socket.opened);
  }

  get readable(): ReadableStream<Uint8Array> {
    return this.#socket.readable as ReadableStream<Uint8Array>;
  }

  get writable(): WritableStream<Uint8Array> {
    return this.#socket.writable as WritableStream<Uint8Array>;
  }

  /** From here on everything is inside TLS. Nothing may be unread, and nobody may hold the streams. */
  async secure(expectedServerHostname: string): Promise<void> {
    this.#socket = this.#socket.startTls({ expectedServerHostname });
    this.#socket.closed.catch(ignore);
    await this.opened;
  }
}
