"""The CSV export in pandas, read as the README and the OpenAPI document say: what is text stays text.

Wants MIEN_URL and MIEN_TOKEN.
"""

import io
import json
import os
import urllib.request

import pandas
from websockets.sync.client import connect

URL = os.environ["MIEN_URL"]
TOKEN = os.environ["MIEN_TOKEN"]
# Names that a reader left to itself takes for a number, or for nothing.
SOURCES = ["007", "7", "1e5", "null", "nan", "na", "true", "-", "-1-1", "0x1f", "main"]


def call(method: str, path: str, body: dict | None = None) -> bytes:
    request = urllib.request.Request(f"{URL}/api/v1/sessions{path}", method=method)
    request.add_header("Authorization", f"Bearer {TOKEN}")
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def record(session: str, source: str) -> None:
    token = json.loads(call("POST", f"/{session}/tokens", {"role": "ingest", "source": source}))["token"]
    face = {"id": 3, "box": [0.25, 0.25, 0.5, 0.5], "expression": "fear", "scores": [0, 0, 0, 0, 1, 0, 0]}
    unsure = {**face, "id": 4, "expression": None}
    send(session, token, [
        {"seq": 1, "at": 1763907600000, "faces": [face, unsure]},
        {"seq": 2, "at": 1763907600100, "faces": []},
    ])


def send(session: str, token: str, samples: list[dict]) -> None:
    address = f"{URL.replace('http', 'ws', 1)}/api/v1/sessions/{session}/ingest"
    with connect(address, subprotocols=["mien.v1"]) as socket:
        socket.send(json.dumps({"type": "hello", "token": token}))
        socket.recv()
        socket.send(json.dumps({"type": "samples", "samples": samples}))
        while json.loads(socket.recv()).get("through") != samples[-1]["seq"]:
            pass


def read(file: bytes) -> pandas.DataFrame:
    return pandas.read_csv(
        io.BytesIO(file), dtype={"source": "str", "face": "Int64", "media_ms": "Int64"}, keep_default_na=False, na_values=[""]
    )


def defused(source: str) -> str:
    """As no spreadsheet takes it for a formula."""
    return f"'{source}" if source.startswith("-") else source


def landmarks() -> None:
    """A session whose faces are measured, beside one whose faces are not."""
    session = json.loads(call("POST", "", {}))["session"]["id"]
    token = json.loads(call("POST", f"/{session}/tokens", {"role": "ingest"}))["token"]
    face = {"id": 3, "box": [0.25, 0.25, 0.5, 0.5], "expression": "fear", "scores": [0, 0, 0, 0, 1, 0, 0]}
    measured = {
        **face, "valence": -1, "neutral": 24, "why": ["turned", "small"],
        "landmarks": {
            "yaw": -12.5, "blink_left": 0.25, "gaze": [3, -4], "coefficients": {"_neutral": 0, "jawOpen": 0.1234},
        },
    }
    send(session, token, [{"seq": 1, "at": 1763907600000, "faces": [measured, {**face, "id": 4}]}])
    table = read(call("GET", f"/{session}/export?format=csv"))
    first, second = table.iloc[0], table.iloc[1]
    assert (first["valence"], first["neutral_looks"], first["why"]) == (-1, 24, "turned small"), first
    assert (first["yaw"], first["blink_left"], first["gaze_right"], first["gaze_up"]) == (-12.5, 0.25, 3, -4), first
    assert (first["coefficient_jawOpen"], first["coefficient__neutral"]) == (0.123, 0), first
    wide = table.filter(regex="^(yaw|pitch|roll|blink_|gaze_|coefficient_)")
    assert wide.shape == (2, 59), wide.shape
    assert wide.loc[0].notna().sum() == 6 and second[wide.columns].isna().all()
    assert second[["valence", "neutral_looks", "why"]].isna().all()
    series = json.loads(call("GET", f"/{session}/series"))
    assert series["points"][0]["valence"] == -1, series
    source = json.loads(call("GET", f"/{session}/summary"))["sources"][0]
    assert source["neutral"] == {"faces": 1, "of": 2, "fewest_looks": 24, "most_looks": 24}, source
    call("DELETE", f"/{session}")


def main() -> None:
    session = json.loads(call("POST", "", {}))["session"]["id"]
    for source in SOURCES:
        record(session, source)
    file = call("GET", f"/{session}/export?format=csv")
    # What heeds quotes (LibreOffice, where it is told to) needs no more.
    first = [line.split(b",")[0] for line in file.splitlines()[1:]]
    assert sorted(set(first)) == sorted(f'"{defused(source)}"'.encode() for source in SOURCES), first

    table = read(file)
    table["source"] = table["source"].str.removeprefix("'")

    assert sorted(set(table["source"])) == sorted(SOURCES), set(table["source"])
    assert len(table) == 3 * len(SOURCES)
    for _, rows in table.groupby("source"):
        assert list(rows["seq"]) == [1, 1, 2]
        assert list(rows["face"].astype(object).where(rows["face"].notna(), None)) == [3, 4, None]
        assert list(rows["expression"].isna()) == [False, True, True]
        assert list(rows["fear"].isna()) == [False, False, True]
    assert str(table["face"].dtype) == "Int64" and str(table["seq"].dtype) == "int64"
    assert set(table.columns[-3:]) == {"valence", "neutral_looks", "why"}, list(table.columns)
    assert table[["valence", "neutral_looks", "why"]].isna().all(axis=None)
    call("DELETE", f"/{session}")
    landmarks()
    print(f"pandas {pandas.__version__} keeps {len(SOURCES)} sources apart")


main()
