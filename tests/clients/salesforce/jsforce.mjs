// How does jsforce fare with the emulator? Log in, query, delete a collection, query and hard-delete in bulk.
// Reads {base_url, client_id, client_secret} from standard input, prints what came of each as one JSON line.
import { readFileSync } from "node:fs";
import jsforce from "jsforce";

const { base_url, client_id, client_secret } = JSON.parse(readFileSync(0, "utf8"));
const conn = new jsforce.Connection({
  loginUrl: base_url,
  instanceUrl: base_url,
  version: "62.0",
  oauth2: { loginUrl: base_url, clientId: client_id, clientSecret: client_secret },
});
await conn.authorize({ grant_type: "client_credentials" });
conn.bulk2.pollInterval = 50;
conn.bulk2.pollTimeout = 30000;

const made = await conn.sobject("Contact").create(
  Array.from({ length: 6 }, (_, n) => ({ LastName: `Jsforce${n}`, Email: `jsforce-${n}@example.com` })),
);
const ids = made.map((one) => one.id);
const queried = await conn.query("SELECT Id FROM Contact WHERE Email LIKE 'jsforce-%@example.com' ORDER BY Id");
const deleted = await conn.sobject("Contact").destroy(ids.slice(0, 2));
const stream = await conn.bulk2.query("SELECT Id, Email FROM Contact WHERE Email LIKE 'jsforce-%@example.com'");
const rows = await stream.toArray();
const result = await conn.bulk2.loadAndWaitForResults({
  object: "Contact",
  operation: "hardDelete",
  input: ids.slice(2).map((Id) => ({ Id })),
});
console.log(
  JSON.stringify({
    made: ids,
    queried: queried.totalSize,
    deleted: deleted.map((one) => one.success),
    in_bulk: rows.map((row) => row.Email).sort(),
    hard_deleted: result.successfulResults.map((row) => row.sf__Id).sort(),
    failed: result.failedResults.length,
    usage: conn.limitInfo?.apiUsage?.limit ?? null,
  }),
);
