"""A table is imported by a map: first read, then sent, and sent again it changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.doors import Doors, Named

MAP = """
type: contact.imported
id: [number]
time: changed
identifiers: {{crm_id.{source}: number, email: mail}}
traits: {{firstName: first, lastName: last}}
properties: {{updated_at: changed}}
"""


@pytest.mark.feature("I2")
def test_a_table_is_read_then_sent_and_sent_again_it_changes_nothing(
    doors: Doors, own: Named, tmp_path: Path
) -> None:
    source = own("erp").replace("-", "_")
    table, how = tmp_path / "people.csv", tmp_path / "map.yaml"
    lines = [f"{n},{own(f'm{n}')}@mail.example,Ann{n},Berg,2026-01-01T00:00:00Z" for n in range(50)]
    table.write_text("number,mail,first,last,changed\n" + "\n".join([*lines, "broken"]) + "\n")
    how.write_text(MAP.format(source=source))
    words = ("import", str(table), "--map", str(how), "--source", source, "--json")
    read = doors.copy.run(*words)
    assert read.returncode == 1, "a row is bad"
    assert '"executed": false' in read.stdout
    assert doors.look_up((f"crm_id.{source}", "7"))[0]["customer_id"] is None
    for _ in range(2):
        sent = doors.copy.run(*words, "--execute", "--wait", "--rate", "1000")
        assert sent.returncode == 1
        assert '"accepted": 50' in sent.stdout
    customer_id = doors.customer_of(f"crm_id.{source}", "7")
    assert customer_id == doors.customer_of("email", f"{own('m7')}@mail.example")
    document = doors.profile(customer_id)
    assert (document["contact"]["name"], document["interaction"]["count"]) == ("Ann7 Berg", 1)
