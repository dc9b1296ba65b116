/** The beginning of an answer as text: what an upstream sends has no end that could be relied upon. */
export async function textAtMost(answer: Response, bytesMax: number): Promise<string> {
  const body: ReadableStream<Uint8Array> | null = answer.body;
  if (body === null) return "";
  const decoder = new TextDecoder();
  let [text, size] = ["", 0];
  for await (const chunk of body) {
    const piece = chunk.subarray(0, bytesMax - size);
    text += decoder.decode(piece, { stream: true });
    size += piece.length;
    // Leaving the loop cancels the rest.
    if (size >= bytesMax) break;
  }
  return text + decoder.decode();
}
