/** Headers whose bytes are no UTF-8. The platform reads U+FFFD for each of them, which no test's own `Request` can carry: what is read is played here. */
import { describe, expect, it } from "vitest";
import { OWNER } from "../../worker/door/door.ts";
import { administeredTenant, tenantOf } from "../../worker/door/tenants.ts";
import { eventFormat } from "../../worker/event-format.ts";
import { tenantHeader } from "../../sdk/client/tenant-header.ts";
import { ProblemError } from "../../worker/problems.ts";

function requestWith(headers: Readonly<Record<string, string>>): Request {
  return { headers: { get: (name: string) => headers[name] ?? null } } as unknown as Request;
}

function problemOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    if (error instanceof ProblemError) return error.problem;
    throw error;
  }
}

describe("a tenant", () => {
  it("is not named by bytes that another name would be read from, too", () => {
    const latin1 = requestWith({ "tidegate-tenant": "Z\uFFFDrich" });
    expect(problemOf(() => tenantOf(latin1, OWNER))).toMatchObject({ type: "/problems/invalid-parameter" });
    expect(problemOf(() => administeredTenant(latin1))).toMatchObject({ type: "/problems/invalid-parameter" });
  });

  it.each(["acme", "Zürich", "東京", "50%", "a%41", "org|1 and more", "🌊", "\uFFFD", "acme ", " acme"])(
    "named %j arrives as it is",
    (name) => {
      const header = tenantHeader(name);
      expect(header).toMatch(/^[ -~]+$/);
      expect(tenantOf(new Request("https://x", { headers: { "tidegate-tenant": header } }), OWNER)).toBe(name);
    },
  );

  it("may be named by UTF-8 that is not encoded, and by a percent sign alone", () => {
    expect(tenantOf(requestWith({ "tidegate-tenant": "Zürich" }), OWNER)).toBe("Zürich");
    expect(tenantOf(requestWith({ "tidegate-tenant": "50%" }), OWNER)).toBe("50%");
  });

  it("has a name without control characters, however it is written", () => {
    const encoded = requestWith({ "tidegate-tenant": "a%00b" });
    expect(problemOf(() => tenantOf(encoded, OWNER))).toMatchObject({ type: "/problems/invalid-parameter" });
  });
});

describe("a CloudEvent", () => {
  const binary = { "ce-specversion": "1.0", "ce-type": "sale", "ce-source": "/tills/7", "ce-id": "17" };

  it.each(["ce-id", "ce-source"])("whose %s another would be read from, too, is refused", (name) => {
    const request = requestWith({ ...binary, [name]: "caf\uFFFD" });
    expect(problemOf(() => eventFormat(request))).toMatchObject({
      type: "/problems/invalid-event",
      field: name,
      code: "bad-utf8",
    });
  });

  it("may have that character, percent-encoded", () => {
    const request = requestWith({ ...binary, "ce-id": "%EF%BF%BD" });
    expect(eventFormat(request).identity).toEqual({ id: "\uFFFD", source: "/tills/7" });
  });
});
