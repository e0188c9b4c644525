// Does HubSpot's Node client get along with the emulator? Argument: the address; standard input: the token.
// Prints what it saw as one line of JSON.
import { readFileSync } from "node:fs";
import { Client } from "@hubspot/api-client";

const client = new Client({ accessToken: readFileSync(0, "utf8").trim(), basePath: process.argv[2], numberOfApiCallRetries: 0 });
const { basicApi, batchApi, searchApi } = client.crm.contacts;
const shown = ["email", "firstname"];
const person = { email: "ann.node@example.com", firstname: "Ann" };

const made = await basicApi.create({ properties: person, associations: [] });
const read = await basicApi.getById(made.id, shown);
const changed = await basicApi.update(made.id, { properties: { firstname: "Anna" } });
const many = await batchApi.read({ inputs: [{ id: made.id }], properties: shown, propertiesWithHistory: [] });
const filter = { propertyName: "email", operator: "EQ", value: person.email };
const asked = { filterGroups: [{ filters: [filter] }], sorts: ["hs_object_id"], properties: shown, limit: 10, after: "0" };
const found = await searchApi.doSearch(asked);
const page = await basicApi.getPage(2, undefined, shown);
await basicApi.purge({ objectId: made.id });
const gone = await batchApi.read({ inputs: [{ id: made.id }], properties: shown, propertiesWithHistory: [] });

console.log(JSON.stringify({
  email: read.properties.email,
  renamed: changed.properties.firstname,
  read: many.results.length,
  found: found.total,
  page: page.results.length,
  left: gone.results.length,
  absent: gone.errors?.[0]?.category,
}));
