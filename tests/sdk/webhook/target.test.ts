/** Where webhooks may go, and the many ways of writing where they may not. */
import { describe, expect, test } from "vitest";
import { isPublicAddress } from "../../../sdk/webhook/addresses.ts";
import { checkTarget, WebhookTargetError } from "../../../sdk/webhook/target.ts";

describe("a webhook's address", () => {
  test.each([
    "https://hooks.example.com/a?b=c",
    "https://example.com:8443",
    "https://xn--bcher-kva.example/",
    "https://a.b.c.io./x",
  ])("may be %s", async (url) => {
    expect((await checkTarget(url)).protocol).toBe("https:");
  });

  test.each([
    "http://hooks.example.com",
    "ftp://hooks.example.com",
    "javascript:alert(1)",
    "hooks.example.com",
    "",
    "https://user:secret@hooks.example.com",
    "https://hooks.example.com@127.0.0.1/",
    "https://127.0.0.1",
    "https://127.0.0.1.",
    "https://8.8.8.8",
    "https://2130706433",
    "https://0x7f000001",
    "https://0x7f.1",
    "https://0177.0.0.1",
    "https://127.1",
    "https://[::1]",
    "https://[2606:4700::1]",
    "https://[::ffff:10.0.0.1]",
    "https://１２７.０.０.１",
    "https://localhost",
    "https://LOCALHOST:8080",
    "https://a.localhost",
    "https://localhost.",
    "https://intranet",
    "https://printer.local",
    "https://metadata.google.internal",
    "https://db.corp",
    "https://router.home.arpa",
    "https://1.0.0.127.in-addr.arpa",
    "https://a..com",
  ])("may not be %s", async (url) => {
    await expect(checkTarget(url)).rejects.toThrow(WebhookTargetError);
  });

  test("may be what is allowed, and no other port or scheme of it", async () => {
    const allow = { hosts: ["127.0.0.1:9000", "hooks.internal"] };
    await expect(checkTarget("https://127.0.0.1:9000/x", allow)).resolves.toBeInstanceOf(URL);
    await expect(checkTarget("https://hooks.internal", allow)).resolves.toBeInstanceOf(URL);
    await expect(checkTarget("http://127.0.0.1:9000/x", allow)).rejects.toThrow("https");
    await expect(checkTarget("http://127.0.0.1:9000/x", { ...allow, http: true })).resolves.toBeInstanceOf(URL);
    for (const url of ["https://127.0.0.1:9001", "https://127.0.0.1", "http://example.com"]) {
      await expect(checkTarget(url, { ...allow, http: true })).rejects.toThrow(WebhookTargetError);
    }
  });

  test("is looked up where there is a resolver: all of its addresses must be public", async () => {
    const resolve = (host: string): string[] =>
      ({ "good.example": ["93.184.216.34", "2606:4700::1"], "half.example": ["93.184.216.34", "10.0.0.1"] })[host] ??
      [];
    await expect(checkTarget("https://good.example.", {}, resolve)).resolves.toBeInstanceOf(URL);
    for (const url of ["https://half.example", "https://none.example"]) {
      await expect(checkTarget(url, {}, resolve)).rejects.toThrow(WebhookTargetError);
    }
  });

  test.each([
    ["8.8.8.8", true],
    ["172.15.255.255", true],
    ["172.16.0.0", false],
    ["172.31.255.255", false],
    ["172.32.0.0", true],
    ["100.64.0.1", false],
    ["169.254.169.254", false],
    ["192.168.1.1", false],
    ["198.19.255.255", false],
    ["223.255.255.255", true],
    ["224.0.0.1", false],
    ["255.255.255.255", false],
    ["0.0.0.0", false],
    ["1.2.3", false],
    ["256.1.1.1", false],
    ["2606:4700::1111", true],
    ["::1", false],
    ["::", false],
    ["::ffff:8.8.8.8", true],
    ["::ffff:127.0.0.1", false],
    ["::ffff:7f00:1", false],
    ["64:ff9b::a00:1", false],
    ["64:ff9b::808:808", true],
    ["2002:a00:1::", false],
    ["2002:808:808::", true],
    ["2001:db8::1", false],
    ["2001::1", false],
    ["2001:4860:4860::8888", true],
    ["3fff:fff::1", false],
    ["fc00::1", false],
    ["fe80::1", false],
    ["ff02::1", false],
    ["1:2:3:4:5:6:7", false],
    ["1::2::3", false],
    ["2606:4700:0:0:0:0:0:0:1", false],
    ["2606:4700::zz", false],
    ["", false],
  ])("%s is public: %s", (address, isPublic) => {
    expect(isPublicAddress(address)).toBe(isPublic);
  });
});
