/** Signatures of Standard Webhooks, from the specification's own example on. */
import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { signatureOf, verifyWebhook, WebhookError } from "../../../sdk/index.ts";

// Of the specification.
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PARTS = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1614265330, body: '{"test": 2432232314}' };
const SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const SENT = PARTS.timestamp * 1_000;
const OTHER = `whsec_${Buffer.from("another secret of enough bytes").toString("base64")}`;

const headers = (change: Record<string, string> = {}): Headers =>
  new Headers({
    "webhook-id": PARTS.id,
    "webhook-timestamp": String(PARTS.timestamp),
    "webhook-signature": SIGNATURE,
    ...change,
  });
const reasonOf = (verified: Promise<unknown>): Promise<string> =>
  verified.then(
    () => "none",
    (error: unknown) => (error instanceof WebhookError ? error.reason : String(error)),
  );

describe("a webhook's signature", () => {
  test("is that of the specification", async () => {
    expect(await signatureOf(SECRET, PARTS)).toBe(SIGNATURE);
  });

  test("is HMAC-SHA256 of id, timestamp and body, for each secret", async () => {
    const parts = { id: "m1", timestamp: 7, body: "ü🙂" };
    const expected = [SECRET, OTHER].map((secret) => {
      const mac = createHmac("sha256", Buffer.from(secret.slice(6), "base64")).update("m1.7.ü🙂");
      return `v1,${mac.digest("base64")}`;
    });
    expect(await signatureOf(`${SECRET} ${OTHER}`, parts)).toBe(expected.join(" "));
  });

  test.each(["", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64", `whsec_${btoa("x".repeat(65))}`])(
    "is not made with what is no secret: %j",
    async (secret) => {
      const error = await signatureOf(secret, PARTS).catch((thrown: unknown) => thrown as Error);
      expect(error).toMatchObject({ type: "misconfigured" });
      if (secret.length > 6) expect((error as Error).message).not.toContain(secret.slice(6));
    },
  );
});

describe("verifyWebhook", () => {
  test("gives what is to be believed", async () => {
    const verified = { id: PARTS.id, sentAt: SENT, body: PARTS.body };
    expect(await verifyWebhook(SECRET, headers(), PARTS.body, SENT)).toEqual(verified);
    expect(await verifyWebhook(`${OTHER} ${SECRET}`, headers(), PARTS.body, SENT)).toEqual(verified);
    const rotated = headers({ "webhook-signature": `v1a,abc ${await signatureOf(OTHER, PARTS)} ${SIGNATURE}` });
    expect(await verifyWebhook(SECRET, rotated, PARTS.body, SENT)).toEqual(verified);
  });

  test.each([
    ["missing-header", { "webhook-id": "" }],
    ["missing-header", { "webhook-signature": "" }],
    ["invalid-timestamp", { "webhook-timestamp": "1e9" }],
    ["too-old", { "webhook-timestamp": String(PARTS.timestamp - 301) }],
    ["from-the-future", { "webhook-timestamp": String(PARTS.timestamp + 301) }],
    ["invalid-signature", { "webhook-timestamp": String(PARTS.timestamp + 1) }],
    ["invalid-signature", { "webhook-id": "msg_other" }],
    ["invalid-signature", { "webhook-signature": SIGNATURE.slice(3) }],
    ["invalid-signature", { "webhook-signature": `v2${SIGNATURE.slice(2)}` }],
    ["invalid-signature", { "webhook-signature": `${SIGNATURE.slice(0, -2)}A=` }],
    ["invalid-signature", { "webhook-signature": "v1,%%% v1, v1" }],
  ])("refuses %s: %o", async (reason, change) => {
    expect(await reasonOf(verifyWebhook(SECRET, headers(change), PARTS.body, SENT))).toBe(reason);
  });

  test("refuses another body and another secret", async () => {
    expect(await reasonOf(verifyWebhook(SECRET, headers(), `${PARTS.body} `, SENT))).toBe("invalid-signature");
    expect(await reasonOf(verifyWebhook(OTHER, headers(), PARTS.body, SENT))).toBe("invalid-signature");
  });
});
