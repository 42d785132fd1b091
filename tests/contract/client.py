"""A client generated from the document that a relay serves creates, reads, exports and erases a session, and meets
errors. The samples come over the WebSocket, by what the AsyncAPI document says.

Wants MIEN_URL and MIEN_TOKEN, and writes the client into the working directory.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

from websockets.sync.client import connect

URL = os.environ["MIEN_URL"]
TOKEN = os.environ["MIEN_TOKEN"]
ANYWHERE = UUID("0193c0de-0000-7000-8000-000000000000")


def generate(folder: Path) -> None:
    config = folder / "generator.json"
    config.write_text(json.dumps({"post_hooks": []}))
    subprocess.run(
        [
            Path(sys.executable).with_name("openapi-python-client"), "generate",
            "--url", f"{URL}/api/v1/openapi.json", "--output-path", folder / "mien_client",
            "--meta", "none", "--config", config,
        ],
        check=True,
    )
    sys.path.insert(0, str(folder))


def send(session: UUID, token: str, samples: list[dict]) -> None:
    """Sends samples and waits until they are stored."""
    address = f"{URL.replace('http', 'ws', 1)}/api/v1/sessions/{session}/ingest"
    with connect(address, subprotocols=["mien.v1"]) as socket:
        socket.send(json.dumps({"type": "hello", "token": token}))
        assert json.loads(socket.recv())["type"] == "welcome"
        socket.send(json.dumps({"type": "samples", "samples": samples}))
        answer = {}
        while answer.get("through") != samples[-1]["seq"]:
            answer = json.loads(socket.recv())
            assert answer["type"] == "ack", answer


def sample(seq: int, faces: int) -> dict:
    face = {
        "id": 4294967295, "box": [0.25, 0.25, 0.5, 0.5], "expression": "happiness" if seq % 2 else None,
        "scores": [0, 1, 0, 0, 0, 0, 0], "quality": 0.5,
    }
    if seq % 4 == 0:
        face |= {
            "valence": 1, "neutral": 12, "why": ["small", "cut"],
            "landmarks": {"yaw": -3.5, "gaze": [1, 2], "coefficients": {"jawOpen": 0.125, "_neutral": 0}},
        }
    return {"seq": seq, "at": 1763907600000 + 100 * seq, "faces": [face] * faces}


def main() -> None:
    generate(Path.cwd())
    from mien_client import AuthenticatedClient
    from mien_client.api.markers import create_marker, delete_marker, list_markers
    from mien_client.api.samples import export_session, get_series, get_summary, list_samples
    from mien_client.api.sessions import create_session, create_token, erase_session, get_session, list_sessions
    from mien_client.api.sessions import update_session
    from mien_client.models import Code, CreateMarker, CreateSession, ExportSessionFormat, PatchSession, Problem
    from mien_client.models import Role, SessionStatus, TokenRequest

    client = AuthenticatedClient(base_url=URL, token=TOKEN)

    def fails(answer: object, code: Code) -> None:
        assert isinstance(answer, Problem), answer
        assert answer.code == code, answer
        assert answer.request_id and answer.detail, answer

    created = create_session.sync(client=client, body=CreateSession(title="Interview", purpose="A test"))
    session = created.session.id
    assert (created.session.title, created.session.status) == ("Interview", SessionStatus.ACTIVE)
    send(session, created.tokens.ingest, [sample(seq, seq % 3) for seq in range(1, 31)])
    token = create_token.sync(session, client=client, body=TokenRequest(role=Role.INGEST, source="007", ttl_s=60))
    send(session, token.token, [sample(1, 1)])

    page = list_samples.sync(session, client=client, limit=20)
    rest = list_samples.sync(session, client=client, limit=20, cursor=page.next_)
    stored = page.samples + rest.samples
    assert [(one.source, one.seq) for one in stored] == [("007", 1)] + [("main", seq) for seq in range(1, 31)]
    assert stored[2].faces[0].expression is None and stored[2].faces[0].id == 4294967295
    assert rest.next_ is None
    measured, plain = stored[4].faces[0], stored[2].faces[0]
    assert (measured.valence, measured.neutral, measured.why) == (1, 12, ["small", "cut"]), measured
    assert (measured.landmarks.yaw, measured.landmarks.gaze) == (-3.5, [1, 2]), measured
    assert measured.landmarks.coefficients.jaw_open == 0.125, measured
    assert not plain.valence and not plain.landmarks, plain
    series = get_series.sync(session, client=client, resolution_ms=1000, source="main")
    assert sum(point.faces for point in series.points) == 30
    assert {point.valence for point in series.points} == {1}, series
    summary = get_summary.sync(session, client=client)
    assert (summary.stored, summary.faces, len(summary.sources)) == (31, 31, 2)
    used = summary.sources[1].neutral
    assert (used.faces, used.of, used.most_looks) == (7, 30, 12), used

    marker = create_marker.sync(session, client=client, body=CreateMarker(at=1763907600000, label="Question 2"))
    assert list_markers.sync(session, client=client).markers == [marker]
    assert delete_marker.sync_detailed(session, marker.id, client=client).status_code == 204

    export = export_session.sync(session, client=client, format_=ExportSessionFormat.JSON)
    assert (export.session.id, export.samples) == (session, stored)

    fails(get_session.sync(ANYWHERE, client=client), Code.SESSION_NOT_FOUND)
    fails(create_session.sync(client=client, body=CreateSession(title="x" * 201)), Code.INVALID)
    fails(list_samples.sync(session, client=client, source="A"), Code.INVALID)
    fails(list_samples.sync(session, client=client, cursor="elsewhere"), Code.MALFORMED)
    fails(get_session.sync(session, client=AuthenticatedClient(base_url=URL, token="x.y.z")), Code.UNAUTHORIZED)
    watcher = AuthenticatedClient(base_url=URL, token=created.tokens.watch)
    fails(erase_session.sync(session, client=watcher), Code.FORBIDDEN)
    completed = update_session.sync(session, client=client, body=PatchSession(status=SessionStatus.COMPLETED))
    assert completed.status == SessionStatus.COMPLETED and completed.completed_at is not None
    again = PatchSession(status=SessionStatus.ACTIVE)
    fails(update_session.sync(session, client=client, body=again), Code.CONFLICT)

    # A code of a later relay is text, and no exception.
    problem = {"type": "about:blank", "title": "T", "status": 409, "code": "new_one", "detail": "d", "request_id": "r"}
    assert Problem.from_dict(problem).code == "new_one"

    assert session in [one.id for one in list_sessions.sync(client=client, limit=1000).sessions]
    assert erase_session.sync_detailed(session, client=client).status_code == 204
    fails(get_session.sync(session, client=client), Code.SESSION_NOT_FOUND)
    print("the generated client reads what the relay says")


main()
