/** The envelope of CloudEvents 1.0 in JSON format, as the kernels and their twins check it. */

/** Attributes that are looked at, by their numbers in assembly/attributes.ts. The first four must be there. */
export const ATTRIBUTES = ["specversion", "id", "source", "type", "datacontenttype", "data_base64"] as const;
export const REQUIRED_ATTRIBUTES = 4;
export const ID_ATTRIBUTE = 1;
export const SOURCE_ATTRIBUTE = 2;

/** The member that holds the event itself. */
export const dataPath = (path: readonly string[]): readonly string[] => ["data", ...path];
