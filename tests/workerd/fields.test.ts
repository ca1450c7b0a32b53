/** Boolean, optional and nested fields over HTTP: from JSON by path to views and streams by name, from functions, and through the client. */
import { expect, test } from "vitest";
import { testWorker } from "../../testing/worker.ts";
import { Parcels, parcelFlow, Sender } from "../app/src/fields.ts";
import { send } from "./support/app.ts";

const domain = testWorker();
const client = domain.client({ Sender });
const post = (body: string, type = "application/x-ndjson") =>
  send("/v1/streams/parcels", { method: "POST", headers: { "content-type": type }, body });

test("events are null where they have nothing, and keep what they have, though all objects crash", async () => {
  const lines = [
    '{"parcel":{"id":"a","to":{"country":"de","city":"Ulm"},"grams":9007199254740993},"express":true,"at":1,"rate":1.5}',
    '{"parcel":{"id":"b","to":null,"grams":null},"express":false,"at":2}',
    '{"at":3,"rate":null,"express":true,"parcel":{"to":{"country":"no"}},"parcel":{"id":"c","to":{}}}',
  ];
  expect((await post(lines.join("\n"))).status).toBe(200);
  await domain.crash("everything");
  const event = { id: "d", country: null, grams: 4n, express: false, at: 4 };
  await client.stream(Parcels).send([event]);
  await client.parcelSender("e").send({ at: 5 });
  await domain.drained();
  const all = [
    { id: "a", country: "de", grams: 9007199254740993n, rate: 1.5, express: true, at: 1 },
    { id: "b", country: null, grams: null, rate: null, express: false, at: 2 },
    { id: "c", country: null, grams: null, rate: null, express: true, at: 3 },
    { id: "d", country: null, grams: 4, rate: null, express: false, at: 4 },
    { id: "e", country: null, grams: 2n ** 60n, rate: null, express: true, at: 5 },
    { id: "e!", country: null, grams: null, rate: 0.5, express: false, at: 5 },
  ];
  const kept: unknown[] = [];
  for await (const { event } of client.stream(Parcels).read({ after: "-1", follow: false })) kept.push(event);
  expect(kept).toEqual(all);
  expect((await client.view(parcelFlow).get()).rows).toEqual(all);
  const { rows } = await client.view("parcel-weights").get(true);
  expect(rows).toEqual([{ express: true, grams: 9007199254740993n + 2n ** 60n }]);
});

test.each([
  ["a text for a boolean", '{"parcel":{"id":"a"},"express":"yes","at":1}', "express", "wrong-type", 31],
  ["a number for a text on the way", '{"parcel":{"id":"a","to":7},"express":true,"at":1}', "country", "wrong-type", 25],
  ["null where there is always a value", '{"parcel":{"id":null},"express":true,"at":1}', "id", "wrong-type", 16],
  ["no object where a field is", '{"express":true,"at":1}', "id", "missing", 0],
  [
    "a fraction in an optional whole number",
    '{"parcel":{"id":"a","grams":1.5},"express":true,"at":1}',
    "grams",
    "wrong-type",
    28,
  ],
])("refuses %s, with line and byte", async (_, line, field, code, byte) => {
  const good = '{"parcel":{"id":"z"},"express":true,"at":9}\n';
  const problem = await (await post(good + line)).json();
  expect(problem).toMatchObject({
    ...{ type: "/problems/invalid-event", status: 422, line: 2, field, code },
    ...{ offset: good.length + byte, column: byte + 1 },
  });
  expect((await client.view("parcels").get("z")).rows).toEqual([]);
});
