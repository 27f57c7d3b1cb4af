import subprocess
import sys


def test_document_describes_errors_keys_and_examples(make_app):
    document = make_app().openapi()
    predict = document["paths"]["/v1/predict"]["post"]
    assert set(predict["responses"]) == {"200", "400", "401", "403", "408", "413", "415", "422", "429", "500", "default"}
    for status, response in predict["responses"].items():
        assert list(response["content"]) == ["application/json" if status == "200" else "application/problem+json"]
    assert predict["security"] == [{"ApiKey": []}]
    assert "security" not in document["paths"]["/health/live"]["get"]
    assert set(document["paths"]["/health/live"]["get"]["responses"]) == {"200", "500", "default"}
    assert predict["requestBody"]["content"]["application/json"]["examples"]["typical"]["value"]["patients"][0]["age_years"] == 70
    missing_card = document["paths"]["/model-card"]["get"]["responses"]["404"]
    assert missing_card["description"] == "This API has no model card."
    assert list(missing_card["content"]) == ["application/problem+json"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_reference_of_the_document_resolves(make_app):
    document = make_app().openapi()
    references = [value for value in _walk(document) if value.startswith("#/components/schemas/")]
    assert references
    assert {reference.rpartition("/")[2] for reference in references} <= set(document["components"]["schemas"])


def _walk(node):
    for child in node.values() if isinstance(node, dict) else node:
        if isinstance(child, dict | list):
            yield from _walk(child)
        elif isinstance(child, str):
            yield child


def test_served_api_keeps_its_contract(make_app, serve, api_key, tmp_path):
    card = tmp_path / "card.md"
    card.write_text("# Toy\n")
    address = serve(make_app({"model_card": card}, requests_per_minute=100_000))
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", "--header", f"X-API-Key: {api_key}",
               "--checks", "all", "--max-examples", "25", "--generation-deterministic", "--no-color"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "Selected: 6/6" in done.stdout
