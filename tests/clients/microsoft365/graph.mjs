// Microsoft's JavaScript client against an emulator: base URL as argument, a bearer token on standard input.
import { readFileSync } from "node:fs";
import { Client, PageIterator } from "@microsoft/microsoft-graph-client";

const base = process.argv[2];
const token = readFileSync(0, "utf8").trim();
const client = Client.initWithMiddleware({
  baseUrl: base,
  defaultVersion: "v1.0",
  customHosts: new Set([new URL(base).hostname]),
  authProvider: { getAccessToken: async () => token },
});
const mailbox = "/users/sales@ours.example";
const first = await client.api(`${mailbox}/messages`).top(2).select("id,subject").get();
let seen = 0;
await new PageIterator(client, first, () => { seen += 1; return true; }).iterate();
const [one, two] = first.value;
await client.api(`${mailbox}/messages/${one.id}`).delete();
let missing = "";
try {
  await client.api(`${mailbox}/messages/nothing`).get();
} catch (error) {
  missing = `${error.statusCode} ${error.code}`;
}
const batch = await client.api("/$batch").post({
  requests: [
    { id: "1", method: "GET", url: `${mailbox}/messages/${two.id}?$select=id` },
    { id: "2", method: "POST", url: `${mailbox}/messages/${two.id}/permanentDelete`, dependsOn: ["1"] },
  ],
});
const statuses = Object.fromEntries(batch.responses.map((part) => [part.id, part.status]));
const delta = await client.api(`${mailbox}/mailFolders/inbox/messages/delta`).get();
console.log(JSON.stringify({ seen, missing, statuses, left: delta.value.length }));
