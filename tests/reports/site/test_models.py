"""What pages are told is JSON that cannot leave its script element, and holds nothing that JSON does not know."""

import json

import pytest
from pydantic import ValidationError

from iface_wf.reports.site.html import index_page
from iface_wf.reports.site.models import ColumnData, IndexData, QuantityData, RowData, TableData

EVIL = "</script><script>alert(1)</script><!--&\u2028\x1b[2J"


def index(text):
    columns = [ColumnData(name="polymer", numeric=False, shown=True)]
    rows = [RowData(cells=[text], flags=[text], trustworthy=True, page="results/x/index.html")]
    return IndexData(title=text, made="", headline="polymer", columns=columns, rows=rows)


def test_text_cannot_end_the_script():
    page = index_page(index(EVIL))
    inside = page.split('id="data">')[1].split("</script>")[0]
    assert json.loads(inside)["rows"][0]["cells"] == [EVIL.replace("\x1b", "\ufffd")]
    assert not set("<>&") & set(inside)
    assert page.count("<script") == 1 + 2  # the data, and two files
    assert all(character.isprintable() or character in "\n\t\u2028" for character in page)


def test_text_is_no_place_to_be_filled():
    page = index_page(index("@DATA@ @SCRIPTS@"))
    assert "<title>@DATA@ @SCRIPTS@</title>" in page


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_null(value):
    assert json.loads(QuantityData(name="x", value=value, unit="eV").script_json())["value"] is None
    assert json.loads(TableData(title="", headings=[""], rows=[[value]]).script_json())["rows"] == [[None]]


def test_unknown_fields_are_refused():
    with pytest.raises(ValidationError):
        QuantityData(name="x", value=1.0, unit="eV", colour="red")
