/** Bytes as lines, and lines as batches, without holding more than one batch. */

/** Lines without their ends; empty ones are left out. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const texts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = texts.pop() ?? "";
    for (const text of texts) if (text.trim() !== "") yield text;
  }
  rest += decoder.decode();
  if (rest.trim() !== "") yield rest;
}

/** Lists of lines, each of at most so many, and of at most so many characters unless a single line is longer. */
export async function* batchesOf(
  lines: AsyncIterable<string>,
  most: number,
  characters: number,
): AsyncGenerator<string[], void, void> {
  let batch: string[] = [];
  let length = 0;
  for await (const line of lines) {
    if (batch.length > 0 && (batch.length >= most || length + line.length > characters)) {
      yield batch;
      batch = [];
      length = 0;
    }
    batch.push(line);
    length += line.length + 1;
  }
  if (batch.length > 0) yield batch;
}
