// Which of these statements does a SOQL grammar that is not ours refuse? Reads a JSON list from standard input.
import { readFileSync } from "node:fs";
import { isQueryValid } from "@jetstreamapp/soql-parser-js";

const statements = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(statements.filter((one) => !isQueryValid(one))));
