/** `npm run key -- NAME`: makes a static key, and the entry of the binding TIDEGATE_KEYS that knows it by its hash. */
import { createHash, randomBytes } from "node:crypto";
import { parseArgs } from "node:util";

const HELP = `npm run key -- NAME [options]     makes a static key

  --tenant T        whose data it is for, in apps with tenants
  --role R          may be given several times
  --expires DATE    after which it opens nothing, such as 2027-01-31

The key is shown once and kept nowhere. Its entry goes into the array that is the secret TIDEGATE_KEYS.`;

/** Bits enough that a fast hash gives nothing away. */
const KEY_BYTES = 32;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tenant: { type: "string" },
    role: { type: "string", multiple: true },
    expires: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const [name] = positionals;
if (values.help || name === undefined || positionals.length > 1) {
  console.log(HELP);
  process.exit(values.help ? 0 : 1);
}
if (values.expires !== undefined && Number.isNaN(Date.parse(values.expires))) {
  console.error(`--expires is a date, not ${JSON.stringify(values.expires)}`);
  process.exit(1);
}
const key = `tgk_${randomBytes(KEY_BYTES).toString("base64url")}`;
const entry = {
  name,
  sha256: createHash("sha256").update(key).digest("hex"),
  ...(values.tenant === undefined ? {} : { tenant: values.tenant }),
  ...(values.role === undefined ? {} : { roles: values.role }),
  ...(values.expires === undefined ? {} : { expires: values.expires }),
};
console.log(`${key}\n${JSON.stringify(entry)}`);
