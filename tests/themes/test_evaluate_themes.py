"""The command, on files as somebody writes them; without a database."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.themes import made


def write(folder: Path, name: str, count: int, seed: int) -> str:
    lines = [
        {
            "title": "",
            "text": one.text,
            "language": "it",
            "themes": [f"Tema{number}x" for number in one.themes or ()],
        }
        for one in made.sources(count, reviewed=True, seed=seed)
    ]
    path = folder / name
    path.write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    return str(path)


@pytest.fixture
def themes_file(tmp_path: Path) -> str:
    path = tmp_path / "themes.json"
    themes = [
        {"name": f"Tema{number}x", "keywords": list(words)}
        for number, words in made.KEYWORDS.items()
    ]
    path.write_text(json.dumps(themes), encoding="utf-8")
    return str(path)


def run(*arguments: str) -> dict[str, Any]:
    output = io.StringIO()
    call_command("evaluate_themes", *arguments, "--json", stdout=output)
    answer: dict[str, Any] = json.loads(output.getvalue())
    return answer


def test_it_tells_how_good_the_suggestions_are(tmp_path: Path, themes_file: str) -> None:
    train, test = write(tmp_path, "train.jsonl", 120, 1), write(tmp_path, "test.jsonl", 60, 2)
    answer = run("--themes", themes_file, "--train", train, "--test", test, "--check-evidence")
    assert answer["ok"] is True
    assert (answer["articles"], answer["trained_on"]) == (60, 120)
    assert answer["macro_f1"] > 0.9
    assert answer["precision_at_1"] > 0.9
    assert answer["suggestions_gone_without_top_3"] > answer["suggestions_gone_without_random_3"]
    for key in ("micro_f1", "ndcg", "calibration_error", "ms_per_article", "training_seconds"):
        assert isinstance(answer[key], float)


def test_cold_it_still_suggests_by_the_keywords(tmp_path: Path, themes_file: str) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    test = write(tmp_path, "test.jsonl", 90, 2)
    answer = run("--themes", themes_file, "--train", str(empty), "--test", test)
    assert answer["trained_on"] == 0
    assert answer["macro_f1"] > 0.6
    assert answer["auto_accept_precision"] is None


def test_folds_test_each_article_once(tmp_path: Path, themes_file: str) -> None:
    train = write(tmp_path, "train.jsonl", 60, 1)
    assert run("--themes", themes_file, "--train", train, "--folds", "3")["articles"] == 60


def test_predictions_are_written_with_probability_and_evidence(
    tmp_path: Path, themes_file: str
) -> None:
    train, test = write(tmp_path, "train.jsonl", 90, 1), write(tmp_path, "test.jsonl", 9, 2)
    out = tmp_path / "out.jsonl"
    run("--themes", themes_file, "--train", train, "--test", test, "--predictions", str(out))
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 9
    first = lines[0]["themes"][0]
    assert 0 < first["probability"] < 1
    assert first["suggested"] is True
    assert {"term", "share", "in_title"} == set(first["evidence"][0])


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "line 2: no valid JSON"),
        ("[]", "line 2: an object is wanted"),
        ('{"text": 3, "themes": []}', 'line 2: "text" must be text'),
        ('{"text": "a"}', 'line 2: "themes" must be a list'),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, themes_file: str, line: str, complaint: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"text": "buono", "themes": []}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(CommandError) as error:
        run("--themes", themes_file, "--test", str(path))
    assert f"{path}, {complaint}" in str(error.value)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{}", "a list of themes is wanted"),
        ('[{"keywords": []}]', 'theme 1: it needs a "name"'),
        ('[{"name": "a", "keywords": "b"}]', '"keywords" must be a list'),
        ('[{"name": "a"}, {"name": "a"}]', "two themes are called “a”"),
        ("[", "line 1: no valid JSON"),
    ],
)
def test_a_bad_list_of_themes_is_named(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "themes.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CommandError, match=complaint):
        run("--themes", str(path), "--test", write(tmp_path, "test.jsonl", 3, 1))


def test_a_missing_file_is_named(themes_file: str) -> None:
    with pytest.raises(CommandError, match=r"nowhere\.jsonl: there is no such file"):
        run("--themes", themes_file, "--test", "/nowhere.jsonl")


def test_labels_of_unknown_themes_are_told(tmp_path: Path, themes_file: str) -> None:
    path = tmp_path / "test.jsonl"
    path.write_text('{"text": "pensione", "themes": ["Tema1x", "Altro"]}\n', encoding="utf-8")
    assert run("--themes", themes_file, "--test", str(path))["unknown_themes"] == {"Altro": 1}
