/** Files: where results go, which are whole or not there, and what is read. */
import { createReadStream, createWriteStream, type ReadStream } from "node:fs";
import { access, constants, rename, rm, stat } from "node:fs/promises";
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

/** @param what the file holds, for the words. @throws Failure when it cannot be read, and says so before anything is sent */
export async function readable(path: string, what: string): Promise<ReadStream> {
  try {
    await access(path, constants.R_OK);
    if ((await stat(path)).isDirectory()) throw new Error(`${path} is a folder`);
  } catch (error) {
    throw new Failure(`the ${what} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  return createReadStream(path);
}
