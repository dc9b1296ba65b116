import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AnswerParser, EarlyEnd, MalformedAnswer } from "./answer-parser.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Reads an answer that comes cut as told, and then the end of the connection. */
function read(answer: string, cuts: readonly number[] = []) {
  const whole = bytes(answer);
  const parser = new AnswerParser();
  const ends = [...new Set([...cuts.filter((cut) => cut < whole.length), whole.length])].sort(
    (a, b) => a - b,
  );
  let start = 0;
  let body = "";
  const take = () => {
    for (let piece = parser.take(); piece !== null; piece = parser.take())
      body += new TextDecoder().decode(piece);
  };
  for (const end of ends) {
    parser.push(whole.subarray(start, end));
    take();
    start = end;
  }
  parser.end();
  take();
  return {
    status: parser.head?.status,
    headers: [...(parser.head?.headers ?? [])],
    body,
    done: parser.isComplete,
  };
}

const CHUNKED =
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n" +
  "7\r\ndata: 1\r\n2;name=value\r\n\n\n\r\n9\r\ndata: [2]\r\n0\r\nTrailer: x\r\n\r\n";

describe("AnswerParser", () => {
  it("reads an answer with a length", () => {
    expect(read("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nX-A: 1\r\nx-a: 2\r\n\r\nhello")).toEqual({
      status: 404,
      headers: [
        ["content-length", "5"],
        ["x-a", "1, 2"],
      ],
      body: "hello",
      done: true,
    });
  });

  it("reads a chunked answer and leaves the framing out", () => {
    expect(read(CHUNKED)).toMatchObject({
      headers: [["content-type", "text/event-stream"]],
      body: "data: 1\n\ndata: [2]",
      done: true,
    });
  });

  it("reads to the end of the connection where nothing else says how long the answer is", () => {
    expect(read("HTTP/1.0 200 OK\r\n\r\nhello")).toMatchObject({ body: "hello", done: true });
  });

  it("is complete at once where there can be no body", () => {
    expect(read("HTTP/1.1 204 No Content\r\n\r\n")).toMatchObject({ status: 204, body: "", done: true });
    expect(read("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).toMatchObject({ body: "", done: true });
  });

  it("skips interim answers", () => {
    const interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
    expect(read(`${interim}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok`)).toMatchObject({
      status: 200,
      headers: [["content-length", "2"]],
      body: "ok",
    });
  });

  it("takes the framing over a length that contradicts it", () => {
    const both =
      "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    expect(read(both)).toMatchObject({ headers: [], body: "hello" });
  });

  it("ignores what follows a complete answer", () => {
    expect(read("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 500 No\r\n\r\nrest")).toMatchObject({
      status: 200,
      body: "ok",
    });
  });

  it("comes to the same for every slicing of the bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(CHUNKED.length)), (cuts) => {
        expect(read(CHUNKED, cuts)).toEqual(read(CHUNKED));
      }),
    );
  });

  it.each([
    ["a body with a length", "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhello"],
    ["a chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nhello"],
    ["the chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"],
    ["the trailers", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: y\r\n"],
    ["the headers", "HTTP/1.1 200 OK\r\nx: y\r\n"],
    ["nothing", ""],
  ])("notices an end in the middle of %s", (_, answer) => {
    expect(() => read(answer)).toThrow(EarlyEnd);
  });

  it.each([
    ["another protocol", "SSH-2.0-OpenSSH\r\n"],
    ["a length that is none", "HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n"],
    ["a negative length", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nhello"],
    ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nhello"],
    ["a chunk size that is none", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nmany\r\nhello"],
    ["a negative chunk size", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n-6\r\nhello"],
    ["a coding nobody asked for", "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n"],
    ["a change of protocol", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"],
    ["a status that is none", "HTTP/1.1 999 Oh\r\n\r\n"],
    ["a header that is none", "HTTP/1.1 200 OK\r\nx(y): 1\r\n\r\n"],
    ["endless headers", `HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(60_000)}`],
    ["an endless chunk size", `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${"0".repeat(300_000)}`],
  ])("refuses %s", (_, answer) => {
    expect(() => read(answer, [10, 70, 1000, 100_000])).toThrow(MalformedAnswer);
  });
});
