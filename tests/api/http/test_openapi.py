"""The OpenAPI description."""

import re

from api.http import openapi
from tests.api.keyed import ME, SOME
from tests.api.query_runner import QueryRunner
from tests.api.sql_texts import PLACES
from tests.api.support import Api


def test_the_description_explains_how_a_list_is_written(runner: QueryRunner) -> None:
    for rest, explode in (("", False), (" repeated", True)):
        query = runner.query(PLACES.format(rest))
        paths = openapi.document({"file": query}, keys=False)["paths"]
        described = paths["/api/file"]["get"]["parameters"][0]
        assert (described["style"], described["explode"]) == ("form", explode)
        items = described["schema"]["items"]
        for value in ("a,b", "a\\b"):
            fits = not re.search(items["not"]["pattern"], value) if "not" in items else True
            assert fits == explode, value
        assert (r"`\,` is a comma" in described["description"]) != explode


def test_the_description_and_404_list_only_the_endpoints_of_a_key(keyed: Api) -> None:
    paths = keyed.get("/openapi.json", headers=SOME).json()["paths"]
    assert {"/api/latest", "/api/stream", "/api/one"} <= {*paths}
    assert not {"/api/without", "/api/health"} & {*paths}
    assert {"403", "429"} <= {*paths["/api/latest"]["get"]["responses"]}
    assert "/api/without" in keyed.get("/openapi.json", headers=ME).json()["paths"]
    for path in ("/api/none", "/none", "/api/latest/none"):
        answer = keyed.get(path, headers=SOME)
        assert (answer.status_code, "/api/latest" in answer.text) == (404, True)
        assert "/api/without" not in answer.text
        assert "/api/without" in keyed.get(path, headers=ME).text
    assert keyed.get("/openapi.json").status_code == 401
