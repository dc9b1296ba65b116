/** Writes a body to a response: in one piece, in slices, or compressed, respecting back-pressure. */
import type { ServerResponse } from "node:http";
import { constants, createGzip } from "node:zlib";
import type { AnswerShape } from "./behaviour.ts";

export type Wire = {
  /** Resolves when more may be written, also when the client has gone. */
  readonly write: (bytes: string | Uint8Array) => Promise<void>;
  readonly end: () => void;
};

export function bytesOf(encoded: string | Uint8Array): Buffer {
  return typeof encoded === "string" ? Buffer.from(encoded) : Buffer.from(encoded);
}

export function openWire(response: ServerResponse, shape: AnswerShape): Wire {
  const plain =
    shape.chunkBytes === undefined ? wholeWire(response) : slicingWire(response, shape.chunkBytes);
  return shape.gzip === true ? gzipWire(plain) : plain;
}

/** The client's departure is noticed by whoever looks at `response.destroyed` afterwards. */
export async function pause(delayMs: number | undefined): Promise<void> {
  if (delayMs === undefined || delayMs <= 0) return;
  await new Promise<void>((resolve) => {
    setTimeout(resolve, delayMs).unref();
  });
}

function wholeWire(response: ServerResponse): Wire {
  return {
    async write(bytes) {
      if (response.destroyed || response.write(bytes)) return;
      await drained(response);
    },
    end: () => {
      response.end();
    },
  };
}

function slicingWire(response: ServerResponse, chunkBytes: number): Wire {
  const whole = wholeWire(response);
  return {
    async write(bytes) {
      const buffer = bytesOf(bytes);
      for (let start = 0; start < buffer.length && !response.destroyed; start += chunkBytes) {
        await whole.write(buffer.subarray(start, start + chunkBytes));
        // A turn of the loop between writes, else the kernel gets them together.
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    end: whole.end,
  };
}

function gzipWire(below: Wire): Wire {
  const gzip = createGzip();
  let last = Promise.resolve();
  gzip.on("data", (chunk: Buffer) => {
    last = last.then(() => below.write(chunk));
  });
  gzip.on("end", () => {
    void last.then(below.end);
  });
  return {
    async write(bytes) {
      gzip.write(bytes);
      await new Promise<void>((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, resolve));
      await last;
    },
    end: () => {
      gzip.end();
    },
  };
}

async function drained(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });
}
