/** `tidegate key`: a static key, and the entry of the binding TIDEGATE_KEYS that knows it by its hash. */
import { createHash, randomBytes } from "node:crypto";
import { TENANT_MAX_LENGTH } from "../../sdk/limits.ts";
import { KEY_PREFIX, type KeyEntry } from "../../sdk/static-keys.ts";
import { isTenant } from "../../sdk/tenants.ts";
import { type Command, EXIT, text, UsageError } from "../command.ts";

/** Bits enough that a fast hash gives nothing away. */
const KEY_BYTES = 32;

export const key: Command = {
  summary: "makes a static key for a program, and the entry of TIDEGATE_KEYS that knows it by its hash",
  usage: "<name>",
  takes: [1, 1],
  options: {
    tenant: { type: "string", value: "NAME", help: "whose data it is for, in apps with tenants" },
    roles: { type: "string", value: "A,B", help: "what rules may ask about; `metrics` may read /metrics" },
    expires: { type: "string", value: "DATE", help: "after which it opens nothing, such as 2027-01-31" },
  },
  details:
    "Standard output has the key, which is kept nowhere, and behind it its entry for the array that is the secret TIDEGATE_KEYS.",
  async run(given, { out }) {
    const [name = ""] = given.positionals;
    if (name === "") throw new UsageError("a key has a name");
    const expires = text(given, "expires");
    if (expires !== undefined && Number.isNaN(Date.parse(expires)))
      throw new UsageError(`--expires is a date such as 2027-01-31, not "${expires}"`);
    const tenant = text(given, "tenant");
    if (tenant !== undefined && !isTenant(tenant))
      throw new UsageError(`--tenant is 1 to ${TENANT_MAX_LENGTH} characters, without control characters`);
    const roles = text(given, "roles")
      ?.split(",")
      .map((role) => role.trim());
    if (roles?.includes("")) throw new UsageError("--roles is names with commas between them, such as clerk,metrics");
    const made = `${KEY_PREFIX}${randomBytes(KEY_BYTES).toString("base64url")}`;
    const sha256 = createHash("sha256").update(made).digest("hex");
    out(made);
    // What was not given is not in the text.
    out(JSON.stringify({ name, sha256, tenant, roles, expires } satisfies KeyEntry));
    return EXIT.done;
  },
};
