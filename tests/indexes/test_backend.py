import pytest

from geosleuth.indexes.backend import Backend, parse_backend
from geosleuth.indexes.errors import InputError


@pytest.mark.parametrize(
    ("spec", "backend"),
    [
        ("embedded", Backend("embedded")),
        ("geoclip", Backend("geoclip")),
        ("hf:Qwen/Qwen2.5-VL-7B-Instruct", Backend("hf", "Qwen/Qwen2.5-VL-7B-Instruct")),
        ("hf:org/name@v1.2", Backend("hf", "org/name", "v1.2")),
        ("timm:convnext_base.fb_in22k", Backend("timm", "convnext_base.fb_in22k")),
        ("dir:/models/my model", Backend("dir", "/models/my model")),
        ("dir:C:\\weights", Backend("dir", "C:\\weights")),
        ("openai:Qwen2.5@http://localhost:8000/v1", Backend("openai", "Qwen2.5", "http://localhost:8000/v1")),
        ("file:guesses.csv", Backend("file", "guesses.csv")),
        ("file:a#b/guesses.csv#gpt-4o", Backend("file", "a#b/guesses.csv", "gpt-4o")),
        ("file:c++/x.csv", Backend("file", "c++/x.csv")),
        ("hf:org/base+hf:org/lora@main", Backend("hf", "org/base", None, (Backend("hf", "org/lora", "main"),))),
        ("hf:org/base@r+dir:/lora", Backend("hf", "org/base", "r", (Backend("dir", "/lora"),))),
        (
            "dir:/base+dir:/reasoning+hf:org/location",
            Backend("dir", "/base", None, (Backend("dir", "/reasoning"), Backend("hf", "org/location"))),
        ),
    ],
)
def test_every_form_is_parsed_and_printed_again(spec, backend):
    assert parse_backend(spec) == backend
    assert str(backend) == spec


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("embeded", "did you mean 'embedded'"),
        ("opnai:x@http://y", "did you mean 'openai:MODEL@URL'"),
        ("", "Use one of: embedded"),
        ("embedded:x", "Write embedded"),
        ("hf:noslash", "Write hf:ORG/NAME"),
        ("hf:", "Write hf:ORG/NAME"),
        ("openai:model", "Write openai:MODEL@URL"),
        ("openai:model@ftp://x", "Write openai:MODEL@URL"),
        ("file:", "Write file:PATH"),
        ("embedded+hf:a/b", "Adapters go on hf: and dir: bases"),
        ("hf:a/b+hf:c", "Write hf:ORG/NAME"),
    ],
)
def test_what_is_no_spec_is_refused_with_the_form(spec, message):
    with pytest.raises(InputError) as error:
        parse_backend(spec)
    assert message in str(error.value)


def test_roles_run_the_embedded_backend_and_prior_files_as_well():
    for role in ("prior", "reading", "locatability", "retrieval"):
        assert parse_backend("embedded", role=role).base == "embedded"
    assert parse_backend("file:x.csv#m", role="prior").detail == "m"


@pytest.mark.parametrize(
    ("spec", "role"),
    [
        ("hf:org/dinov2@main", "retrieval"),
        ("timm:convnext_base", "retrieval"),
        ("dir:/weights", "retrieval"),
        ("embedded", "matching"),
        ("hf:org/superpoint", "matching"),
    ],
)
def test_retrieval_and_matching_run_models(spec, role):
    assert str(parse_backend(spec, role=role)) == spec


@pytest.mark.parametrize(
    ("spec", "role", "remedy"),
    [
        ("file:x.csv", "reading", "in a later version; the role reading accepts embedded in"),
        (
            "file:x.csv",
            "planner",
            "geosleuth[vlm]'`; the role planner accepts embedded, hf:ORG/NAME[@REV], dir:PATH and openai:MODEL@URL in",
        ),
        ("geoclip", "pairwise", "the role pairwise accepts embedded, hf:"),
        ("timm:x", "prior", "openai:MODEL@URL and geoclip in"),
        (
            "openai:m@http://h",
            "retrieval",
            "geosleuth[encoders]'`; the role retrieval accepts embedded, hf:ORG/NAME[@REV], timm:NAME and dir:PATH in",
        ),
        (
            "timm:x",
            "matching",
            "geosleuth[encoders]'`; the role matching accepts embedded, hf:ORG/NAME[@REV] and dir:PATH in",
        ),
        ("hf:a/b+dir:/lora", "retrieval", "Merge the adapter into its base"),
    ],
)
def test_a_role_refuses_what_it_cannot_run_and_says_what_it_can(spec, role, remedy):
    with pytest.raises(InputError) as error:
        parse_backend(spec, role=role)
    assert remedy in str(error.value)


@pytest.mark.parametrize("role", ["planner", "prior", "locatability", "pairwise", "gleam_x"])
@pytest.mark.parametrize("spec", ["hf:org/vlm+dir:/lora", "dir:/vlm", "openai:gleam@http://localhost:8000/v1"])
def test_the_roles_of_a_vision_language_model_run_it_here_or_on_a_server(spec, role):
    assert str(parse_backend(spec, role=role)) == spec


def test_an_unknown_role_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'reading'"):
        parse_backend("embedded", role="readng")


@pytest.mark.parametrize(
    "url", ["http://alice:hunter2@host/v1", "https://host/v1?api_key=hunter2", "http://host/v1#hunter2"]
)
def test_a_secret_in_a_url_is_refused_and_not_repeated(url):
    with pytest.raises(InputError, match="GEOSLEUTH_ENDPOINT_KEY") as error:
        parse_backend(f"openai:model@{url}", role="planner")
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("spec", "short"),
    [
        ("dir:/home/alice/secret case/qwen+dir:~/lora", "dir:qwen+dir:lora"),
        ("file:/a/b/guesses.csv#gpt-4o", "file:guesses.csv#gpt-4o"),
        ("hf:org/name@main+hf:org/lora", "hf:org/name@main+hf:org/lora"),
        ("openai:m@http://localhost:8000/v1", "openai:m@http://localhost:8000/v1"),
        ("embedded", "embedded"),
    ],
)
def test_the_short_form_names_no_folder(spec, short):
    assert parse_backend(spec).short == short
