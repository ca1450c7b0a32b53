/** The message of the error that a call of a partition ends with. Awaited at once: a stub's promise that is not is unhandled. */
export async function refusalOf(what: () => Promise<unknown>): Promise<string> {
  try {
    await what();
  } catch (error) {
    return String(error);
  }
  return "no error";
}
