/** Limits of the command line. */

export const PORT_DEFAULT = 8787;
export const PORT_MAX = 65_535;
