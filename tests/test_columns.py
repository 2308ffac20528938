"""Guessing columns: which are texts, which is the label, and what is not guessed."""

import random

import pytest

from suite.data import columns
from suite.data.columns import Asked, LabelUnclear
from suite.errors import DataError

WORDS = "the order arrived late and nobody answered our letter about a broken lamp".split()


def texts(count, words=12, seed=0):
    """Texts that hardly repeat."""
    drawn = random.Random(seed)
    return [" ".join(drawn.choices(WORDS, k=words)) + f" {row}" for row in range(count)]


def tickets(count=300, **more):
    """A support desk's table; further columns come after."""
    return {
        "ticket": [f"T-{row:05}" for row in range(count)],
        "subject": texts(count, 4, 1),
        "body": texts(count, 30, 2),
        "team": [("billing", "orders", "returns")[row * row % 3] for row in range(count)],
    } | {name: [make(row) for row in range(count)] for name, make in more.items()}


def find(table, **asked):
    return columns.find(table, Asked(**asked), where="tickets.csv")


def refusal(table, **asked):
    with pytest.raises(DataError) as caught:
        find(table, **asked)
    return str(caught.value)


def test_a_table_of_tickets():
    found = find(tickets())
    assert (found.text, found.label, found.id) == (("subject", "body"), "team", "ticket")
    assert [what for what, _, _ in found.reasons] == ["text", "label", "id"]
    whys = [why for *_, why in found.reasons]
    assert whys[0].startswith("called so, ")
    assert whys[0].endswith("characters on average; joined to one text")
    assert whys[1] == "2 different values in 300 rows"
    assert whys[2] == "called so, and different in every row; kept in outputs"


def test_what_is_named_is_taken():
    found = find(tickets(), text=("body",), label="team", id="subject")
    assert (found.text, found.label, found.id) == (("body",), "team", "subject")
    assert all("named with --" in why for *_, why in found.reasons)
    assert "no column 'tema', which --label names" in refusal(tickets(), label="tema")
    assert "Did you mean 'team'?" in refusal(tickets(), label="tema")
    assert "named as text and as label" in refusal(tickets(), text=("team",), label="team")
    assert "names a column twice" in refusal(tickets(), text=("body", "body"))
    assert "is the label, by which rows can't be split" in refusal(
        tickets(), label="team", group="team"
    )


def test_two_that_look_like_the_label_are_named():
    table = tickets(priority=lambda row: ("low", "high")[row % 7 > 3])
    with pytest.raises(LabelUnclear) as caught:
        find(table)
    assert [c.name for c in caught.value.candidates] == ["team", "priority"]
    assert "team (2: orders, billing); priority (2: low, high)" in str(caught.value)
    assert "--label team or --label priority" in str(caught.value)
    assert find(table, label="priority").label == "priority"


def test_a_column_called_label_is_the_label():
    table = tickets(label=lambda row: row % 2, priority=lambda row: "abc"[row % 3])
    found = find(table)
    assert (found.label, found.reasons[1][2]) == (
        "label",
        "called so; 2 different values in 300 rows",
    )
    # Two that are called so are two.
    with pytest.raises(LabelUnclear):
        find(tickets(label=lambda row: row % 2, category=lambda row: "abc"[row % 3]))


def test_two_spellings_of_the_same_classes_are_one():
    table = tickets(team_name=lambda row: ("Billing", "Orders")[row * row % 3])
    assert find(table).label == "team"
    numbered = {"team_id": [row * row % 3 for row in range(300)]} | tickets()
    assert find(numbered).label == "team"  # the one with names


def test_columns_to_split_by_are_pointed_out_and_never_guessed():
    table = tickets(
        customer=lambda row: f"c{row % 40}", created=lambda row: f"2024-03-{row % 28 + 1:02}"
    )
    found = find(table)
    assert (found.label, len(found.reasons)) == ("team", 3)
    assert found.hints == (
        "--time created  (dates: the newest rows would be the test)",
        "--group customer  (40 values, 7.5 rows each: each would stay on one side)",
    )
    found = find(table, group="customer", time="created")
    assert found.hints == ()
    assert ("time", "created", "named with --time") in found.reasons


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (lambda row: f"kind {row}", "'label' has as many values as rows: 300"),
        (lambda row: "same", "'label' has one value in all 300 rows: 'same'"),
        (lambda row: None, "'label' is empty in every row"),
        (lambda row: f"2024-01-{row % 28 + 1:02}", "the values of 'label' are dates"),
        (lambda row: row % 7 / 3, "the values of 'label' are measured numbers (7 different)"),
        (lambda row: ["a", "b"], "'label' holds lists or objects, not one class a row"),
        (
            lambda row: ("label", "x")[row > 0],
            "'label' is the column's name, and its value in 1 row",
        ),
    ],
)
def test_what_is_no_label_is_refused(values, expected):
    table = {"text": texts(300), "label": [values(row) for row in range(300)]}
    said = refusal(table)
    assert expected in said
    assert said.startswith("tickets.csv: ")


def test_dates_and_numbers_are_classes_where_it_is_said():
    for values in (
        [f"2024-01-{row % 9 + 1:02}" for row in range(90)],
        [row % 7 / 3 for row in range(90)],
    ):
        assert find({"text": texts(90), "label": values}, label="label").label == "label"


def test_more_values_than_classes_can_be():
    table = {"text": texts(3000), "label": [str(row % 1500) for row in range(3000)]}
    assert "1,500 different values; at most 1,000 are classes" in refusal(table)


def test_texts_that_are_numbers_or_dates_count_where_they_are_called_so():
    table = {
        "text": [f"2024-01-{row % 28 + 1:02}T10:00:00" for row in range(90)],
        "label": ["a", "b"] * 45,
    }
    found = find(table)
    assert found.text == ("text",)
    assert found.reasons[0][2] == "called so, though its values are dates"
    table["amount"] = table.pop("text")
    assert "no column holds texts" in refusal(table)
    assert "name them: --text amount" in refusal(table)
    assert find(table, text=("amount",)).text == ("amount",)


def test_the_classes_are_never_taken_for_the_texts():
    table = {"amount": list(range(90)), "team": ["billing desk", "order desk", "returns"] * 30}
    assert "no column holds texts" in refusal(table)


def test_pairs_of_texts_are_joined_and_other_texts_are_named():
    table = {"sentence1": texts(60), "sentence2": texts(60, 12, 1), "label": [0, 1] * 30}
    assert find(table).text == ("sentence1", "sentence2")
    table = {"text": texts(60, 40), "reply": texts(60, 20, 1), "label": [0, 1] * 30}
    found = find(table)
    assert (found.text, found.others) == (("text",), ("reply",))


def test_a_file_without_names_over_it():
    rows = texts(60)
    table = {rows[0]: rows[1:], "good": ["good", "bad"] * 29 + ["good"]}
    assert "The file's first line seems to be a row" in refusal(table)


def test_other_languages():
    found = find(
        {
            "编号": [str(row) for row in range(60)],
            "标题": [f"第{row}个订单的标题" for row in range(60)],
            "内容": [f"第{row}个订单还没有到，请帮忙查一下" for row in range(60)],
            "类别": ["物流", "售后"] * 30,
        }
    )  # fmt: skip
    assert (found.text, found.label, found.id) == (("标题", "内容"), "类别", "编号")
    found = find(
        {"Betreff": texts(60, 4), "Text": texts(60, 20), "Kategorie": ["a", "b", "c"] * 20}
    )
    assert (found.text, found.label) == (("Betreff", "Text"), "Kategorie")


def test_a_thousand_columns():
    table = {f"x{number}": [number * row % 9973 / 7 for row in range(60)] for number in range(1000)}
    assert find(table | tickets(60)).label == "team"
    said = refusal(table)
    assert "… (1,000 in all)" in said
    assert len(said) < 400


def test_empty_cells_are_no_values():
    table = tickets()
    for name in ("subject", "team"):
        table[name] = ["" if row % 9 == 0 else value for row, value in enumerate(table[name])]
    table["body"][4] = None
    table["team"][5] = float("nan")
    found = find(table)
    assert (found.text, found.label) == (("subject", "body"), "team")
    assert found.reasons[1][2] == "2 different values in 265 rows"
