/** Where results go: a file that is whole or not there, or standard output. */
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { Failure } from "./command.ts";

/** Writes a file beside its name first, and gives it that name when all of it is there. @throws Failure when the source breaks off */
export async function writeWhole(cwd: string, file: string, source: AsyncIterable<Uint8Array | string>): Promise<void> {
  const path = resolve(cwd, file);
  const partial = `${path}.partial`;
  try {
    await pipeline(source, createWriteStream(partial, { mode: 0o600 }));
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    if (error instanceof Failure) throw error;
    throw new Failure(`${file} is not written: ${(error as Error).message}`, { cause: error });
  }
}
