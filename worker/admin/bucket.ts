/** Backups in an R2 bucket: written in parts while they are made, read as a stream. */
import { refuse } from "../problems.ts";

/** What is used of an R2 bucket. */
export interface Bucket {
  createMultipartUpload(key: string): Promise<Upload>;
  get(key: string): Promise<{ readonly body: ReadableStream<Uint8Array> } | null>;
}

export interface Upload {
  uploadPart(number: number, bytes: Uint8Array): Promise<Part>;
  complete(parts: readonly Part[]): Promise<unknown>;
  abort(): Promise<void>;
}
interface Part {
  readonly partNumber: number;
  readonly etag: string;
}

/** All parts but the last must be of one size, of 5 MiB or more. */
const PART_BYTES = 8 * 1024 * 1024;

/** @throws ProblemError when the app has no such bucket */
export function bucketOf(bucket: Bucket | undefined): Bucket {
  if (bucket !== undefined) return bucket;
  throw refuse("invalid-parameter", "the app has no R2 bucket for backups: bind one as TIDEGATE_BACKUPS");
}

/** Bytes of an object's name. */
const NAME_BYTES = 1_024;

/** A name that the bucket takes. @throws ProblemError */
export function checkObjectName(parameter: string, name: string): string {
  const bytes = new TextEncoder().encode(name).length;
  if (bytes >= 1 && bytes <= NAME_BYTES) return name;
  throw refuse("invalid-parameter", `?${parameter}= is the name of an object, of 1 to ${NAME_BYTES} bytes`);
}

/** Stores all of it under the key that the upload was begun for, or nothing. Returns how many bytes it has. */
export async function store(upload: Upload, chunks: AsyncGenerator<Uint8Array>): Promise<number> {
  try {
    const parts: Part[] = [];
    let bytes = 0;
    for await (const part of partsOf(chunks)) {
      parts.push(await upload.uploadPart(parts.length + 1, part));
      bytes += part.length;
    }
    await upload.complete(parts);
    return bytes;
  } catch (error) {
    await upload.abort();
    throw error;
  }
}

async function* partsOf(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let part = new Uint8Array(PART_BYTES);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const taken = chunk.subarray(at, at + PART_BYTES - filled);
      part.set(taken, filled);
      filled += taken.length;
      at += taken.length;
      if (filled < PART_BYTES) continue;
      yield part;
      part = new Uint8Array(PART_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
}
