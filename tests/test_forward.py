"""Forwarding: exactly what came goes on, to exactly one URL, and nothing that must not."""

import dataclasses
import http.server
import json
import threading

import pytest

from tests.nginx_parts import NGINX, Nginx
from tests.raw_http import Client, pairs, post, request
from tests.raw_server import HANG, RESET, SILENT, free_port
from tests.store_parts import arrival
from tests.target_parts import QUICK, Target, ok
from tests.waiting import until
from webhooklab import Lab
from webhooklab.errors import FilterError, SendArgumentError, SendTimeout
from webhooklab.sending import Retry


@pytest.fixture
def target():
    with Target() as made:
        yield made


def send(lab, body=b"{}", path="", method="POST", headers=()):
    with Client(lab.url) as client:
        return client.ask(request(method, client.path + path, headers, body))


def event(number, entity="a", **more):
    """A CloudEvent about an entity, with a number in its body."""
    headers = ("ce-specversion: 1.0", f"ce-id: {number}", "ce-source: /s", "ce-type: order.changed")
    return {
        "body": json.dumps({"id": entity, "number": number, **more}).encode(),
        "headers": (*headers, f"ce-subject: {entity}", "Content-Type: application/json"),
    }


# What arrives at the target


def test_what_came_goes_on_byte_for_byte(lab, target):
    forward = lab.forward(target.url)
    body = bytes(range(256)) * 3
    headers = (
        "X-Second: b",
        "x-first: a",
        "X-Second: c",
        "Content-Type: application/octet-stream",
        "X-Bytes: caf\xe9",
        "X-Empty:",
        "Authorization: Bearer s3cret",
    )
    send(lab, body, path="in/%7Eodd?b=2&a=1&b=%20+", headers=headers)
    forward.drain()
    (got,) = target.got
    assert got.line == "POST /hooks?b=2&a=1&b=%20+ HTTP/1.1"
    assert got.body == body
    key, identity = got.key, got.one("webhooklab-forwarded")
    assert got.pairs == [
        ("Host", f"127.0.0.1:{target.port}"),
        *pairs(*(each + " " if each.endswith(":") else each for each in headers))[1:],
        ("Content-Length", str(len(body))),
        ("webhooklab-idempotency-key", key),
        ("webhooklab-forwarded", identity),
    ]


def test_what_nginx_reads_of_it_is_what_came(lab, target, tmp_path):
    """An independent reader, which refuses what is not well-formed, and hands it on."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    upstream = target.url.removesuffix("/hooks")

    def block(port):
        return (
            f"server {{ listen 127.0.0.1:{port}; client_max_body_size 30m; "
            f"location / {{ proxy_pass {upstream}; proxy_set_header Host $http_host; }} }}"
        )

    body = bytes(range(256)) * 4_000
    headers = ("X-Second: b", "x-first: a", "X-Second: c", "Content-Type: image/png", "X-Caf: \xe9")
    with Nginx(tmp_path, block) as nginx:
        forward = lab.forward(f"http://127.0.0.1:{nginx.port}/hooks")
        send(lab, body, path="in?b=2&a=1&b=%20+", headers=headers)
        forward.drain()
    (got,) = target.got
    assert got.line.startswith("POST /hooks?b=2&a=1&b=%20+ ")
    assert got.body == body
    assert [pair for pair in got.pairs if pair[0].lower() in ("x-second", "x-first", "x-caf")] == [
        *[("X-Second", "b"), ("x-first", "a"), ("X-Second", "c"), ("X-Caf", "\xe9")]
    ]
    assert got.one("content-type") == "image/png"
    assert got.one("host") == f"127.0.0.1:{nginx.port}"


def test_an_independent_server_reads_the_same(lab):
    got = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, self.headers.get_all("X-A"), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            forward = lab.forward(f"http://127.0.0.1:{server.server_port}/x?own=1")
            send(lab, b'{"a": 1}\r\n', path="p?q=1", headers=("X-A: 1", "X-A: 2"))
            forward.drain()
        finally:
            server.shutdown()
            thread.join()
    assert got == [("/x?own=1&q=1", ["1", "2"], b'{"a": 1}\r\n')]


def test_headers_of_one_hop_stay_behind_and_those_that_connection_names(lab, target):
    forward = lab.forward(target.url)
    hop = ("Connection: keep-alive, X-Gone", "Keep-Alive: 5", "X-Gone: 1", "TE: trailers")
    with Client(lab.url) as client:
        client.ask(
            b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n"
            + "".join(f"{each}\r\n" for each in (*hop, "Upgrade: h2c", "X-Stays: 1")).encode()
            + b"\r\n3\r\nabc\r\n0\r\n\r\n"
        )
    forward.drain()
    (got,) = target.got
    names = {name.lower() for name, _ in got.pairs}
    assert names == {
        *("host", "x-stays", "content-length"),
        *("webhooklab-idempotency-key", "webhooklab-forwarded"),
    }
    assert got.body == b"abc"
    assert got.one("content-length") == "3"


def test_every_try_is_a_row_with_the_columns_of_the_contract(lab, target):
    assert list(lab.attempts.columns) == [
        *("seq", "target", "attempt", "started_at", "elapsed_ms", "status", "error"),
        *("response_headers_json", "response_body"),
    ]
    empty = dict(lab.attempts.dtypes)
    answers = iter([ok(b"no", 500), ok(b"yes", 200, "X-Own: 1")])
    target.answer = lambda _: next(answers)
    forward = lab.forward(target.url + "?token=s3cret", retry=QUICK)
    send(lab)
    forward.drain()
    rows = lab.attempts
    assert list(rows["seq"]) == [1, 1]
    assert set(rows["target"]) == {target.url + "?token=***"}
    assert list(rows["attempt"]) == [1, 2]
    assert list(rows["status"]) == [500, 200]
    assert rows["error"].isna().all()
    assert list(rows["response_body"]) == [b"no", b"yes"]
    assert ["X-Own", "1"] in json.loads(rows["response_headers_json"].iloc[1])
    assert (rows["elapsed_ms"] >= 0).all()
    assert rows["started_at"].is_monotonic_increasing
    assert dict(rows.dtypes) == empty
    assert "s3cret" not in repr(forward) + forward._repr_html_() + str(lab.health())


def test_one_key_for_all_tries_and_another_for_each_delivery_and_forward(lab, target):
    target.answer = lambda _: ok(b"", 500)
    one = lab.forward(target.url, name="one", retry=QUICK)
    other = lab.forward(target.url, name="other", retry=0)
    send(lab)
    send(lab)
    one.drain()
    other.drain()
    keys = [got.key for got in target.got]
    assert sorted(keys.count(key) for key in set(keys)) == [1, 1, 4, 4]


# What does not


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_stay_unless_they_are_named(lab, target, method):
    forward = lab.forward(target.url)
    send(lab, b"x", method=method)
    forward.drain()
    assert target.got == []
    forward = lab.forward(target.url, methods=("post", method.lower()))
    send(lab, b"x", method=method)
    send(lab, b"y")
    forward.drain()
    assert {got.line.split()[0] for got in target.got} == {method, "POST"}


@pytest.mark.parametrize(
    "path",
    [
        *("../admin", "a/../../admin", "%2e%2e/admin", "..%2fadmin", "%252e%252e/x", "a/.%2E/b"),
        *("a/./b", "..;/admin", "..%3bx/admin", "..\\admin", "%2e%2e%5cadmin", "%25252e./a", ".."),
    ],
)
def test_dot_segments_do_not_leave_the_target(lab, target, path):
    forward = lab.forward(target.url, keep_path=True)
    send(lab, path=path)
    send(lab, path="honest/..path/%20a")
    forward.drain()
    assert [got.line for got in target.got] == ["POST /hooks/honest/..path/%20a HTTP/1.1"]
    assert forward.stats["left_out"] == 1
    assert "dot segment" in forward.stats["last_left_out"]


def test_the_path_does_not_widen_where_nobody_asked(lab, target):
    forward = lab.forward(target.url)
    send(lab, path="../admin")
    send(lab, path="//evil.example/x")
    forward.drain()
    assert {got.line for got in target.got} == {"POST /hooks HTTP/1.1"}


def test_a_web_page_of_another_origin_is_never_forwarded(lab, target):
    forward = lab.forward(target.url, unverified=True)
    send(lab, headers=("Origin: https://evil.example",))
    send(lab, headers=("Sec-Fetch-Site: cross-site",))
    send(lab, b"mine")
    forward.drain()
    assert target.bodies == [b"mine"]
    assert len(lab.attempts) == 1


def test_only_what_is_valid_goes_on_where_it_is_checked(lab, target):
    forward = lab.forward(target.url, name="valid")
    lab.verify_with("github", "right", path="/github")
    lab.send_sample("github", secret="right", path="github")
    lab.send_sample("github", secret="wrong", path="github")
    send(lab, b"unchecked")
    forward.drain()
    assert len(target.got) == 2
    assert list(lab.attempts["seq"]) == [1, 3]
    everything = lab.forward(target.url, name="all", unverified=True)
    lab.send_sample("github", secret="wrong", path="github")
    everything.drain()
    assert 4 in set(lab.attempts["seq"])


def test_what_was_imported_or_captured_before_is_not_sent(lab, target):
    send(lab, b"before")
    forward = lab.forward(target.url)
    for source in ("import", "recovered"):
        made = arrival(b"not live")
        made.request.source = source
        lab._parts.store.append([made])
    send(lab, b"after")
    forward.drain()
    assert target.bodies == [b"after"]


def test_where_is_a_filter_or_a_function(lab, target):
    text = lab.forward(target.url, name="text", where="-path:/test refund", path="/in")
    send(lab, b"refund 1", path="in/a")
    send(lab, b"refund 2", path="in/test")
    send(lab, b"other", path="in")
    send(lab, b"refund 3", path="elsewhere")
    text.drain()
    assert target.bodies == [b"refund 1"]
    text.stop()
    function = lab.forward(target.url, name="function", where=lambda d: d.json()["total"] > 10)
    send(lab, b'{"total": 5}')
    send(lab, b'{"total": 50}')
    send(lab, b"no JSON")
    function.drain()
    assert target.bodies[1:] == [b'{"total": 50}']
    assert list(lab.attempts["error"].dropna()) == ["the function where= raised BodyError"]
    with pytest.raises(FilterError):
        lab.forward(target.url, where="after:never")


def test_transform_says_what_is_sent(lab, target):
    made = {
        b"1": b"bytes",
        b"2": {"a": 1},
        b"3": None,
        b"5": "text",
    }

    def transform(delivery):
        if delivery.body == b"4":
            return dataclasses.replace(delivery, body=b"own", headers_json='[["X-Own", "1"]]')
        return made[delivery.body]

    forward = lab.forward(target.url, transform=transform, headers={"X-Set": "2", "Via": None})
    for number in (b"1", b"2", b"3", b"4", b"5", b"6"):
        send(lab, number, headers=("Via: x",))
    forward.drain()
    assert sorted(target.bodies) == [b"bytes", b"own", b"text", b'{"a":1}']
    for got in target.got:
        assert got.one("content-length") == str(len(got.body))
        assert got.one("x-set") == "2"
        assert got.all("via") == []
    own = next(got for got in target.got if got.body == b"own")
    assert own.one("x-own") == "1"
    last = lab.attempts.set_index("seq").loc[6]
    assert "KeyError" in last["error"]
    assert forward.stats["left_out"] == 1


def test_a_forward_to_the_lab_itself_is_refused_and_a_longer_way_round_is_stopped(lab, tmp_path):
    port = lab.url.split(":")[2].strip("/")
    for url in (lab.url, lab.url + "x", f"http://localhost:{port}/", f"http://[::1]:{port}/"):
        with pytest.raises(SendArgumentError, match="this Lab itself"):
            lab.forward(url)
    with Lab(tmp_path / "other.db") as other:
        there = lab.forward(other.url)
        back = other.forward(lab.url)
        send(lab, b"round")
        until(lambda: len(lab) == 2)
        back.drain()
        there.drain()
        assert (len(lab), len(other)) == (2, 1)
        assert "loop" in there.stats["last_left_out"]


@pytest.mark.parametrize(
    "options",
    [
        {"url": "localhost:3000"},
        {"url": "ftp://host/"},
        {"url": "/hooks"},
        {"timeout": 0},
        {"timeout": float("nan")},
        {"concurrency": 0},
        {"methods": "POST"},
        {"methods": ("CONNECT",)},
        {"methods": ("connect",)},
        {"methods": ("*",)},
        {"methods": ()},
        {"retry": -1},
        {"retry": "often"},
        {"where": 5},
        {"headers": {"Host": "evil"}},
        {"headers": {"X": 5}},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_said_at_once(lab, options):
    with pytest.raises(SendArgumentError):
        lab.forward(**{"url": "http://127.0.0.1:9/", **options})
    assert lab.health().forwards == {}


def test_auth_goes_along_and_is_not_shown(lab, target):
    url = target.url.replace("://", "://user:pa55@")
    forward = lab.forward(url)
    send(lab, headers=("Authorization: Bearer theirs",))
    forward.drain()
    assert target.got[0].one("authorization") == "Basic dXNlcjpwYTU1"
    assert "pa55" not in repr(forward) + lab.attempts["target"].iloc[0]


# Targets that fail


@pytest.mark.parametrize("answer", [ok(b"", 500), ok(b"", 429), RESET, SILENT], ids=repr)
def test_a_failing_target_is_tried_again_up_to_the_maximum(lab, answer):
    with Target(answer) as target:
        forward = lab.forward(target.url, retry=QUICK)
        send(lab)
        forward.drain()
        rows = lab.attempts
        assert list(rows["attempt"]) == [1, 2, 3, 4]
        assert len(target.got) == 4
        assert forward.stats["failed"] == 1
        assert rows["status"].isna().all() == rows["error"].notna().all()


def test_a_target_that_hangs_costs_its_timeout(lab):
    with Target(HANG) as target:
        forward = lab.forward(target.url, retry=Retry(retries=1, backoff_seconds=0), timeout=0.2)
        send(lab)
        forward.drain()
        rows = lab.attempts
        assert list(rows["error"]) == ["no answer within 0.2 s"] * 2
        assert rows["status"].isna().all()


def test_an_answer_that_breaks_off_is_no_answer(lab):
    broken = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    answers = iter([broken, ok()])
    with Target(lambda _: next(answers)) as target:
        forward = lab.forward(target.url, retry=QUICK)
        send(lab)
        forward.drain()
        rows = lab.attempts
        assert list(rows["status"]) == [200, 200]
        assert rows["error"].iloc[0].startswith("the connection broke off")
        assert rows["response_body"].iloc[0] == b"half"
        assert target.got[0].key == target.got[1].key
        assert forward.stats["sent"] == 1


def test_redirects_are_not_followed_and_a_refusal_is_final(lab, target):
    elsewhere = free_port()
    answers = iter([ok(b"", 307, f"Location: http://127.0.0.1:{elsewhere}/"), ok(b"", 404)])
    target.answer = lambda _: next(answers)
    forward = lab.forward(target.url, retry=QUICK)
    send(lab)
    forward.drain()
    send(lab)
    forward.drain()
    assert list(lab.attempts["status"]) == [307, 404]
    assert forward.stats["failed"] == 2


def test_410_ends_the_forward_and_what_comes_waits(lab, target):
    target.answer = lambda _: ok(b"", 410)
    forward = lab.forward(target.url, retry=QUICK)
    send(lab, b"first")
    until(lambda: not forward.running)
    assert "410" in repr(forward)
    assert any("410 Gone" in each for each in lab.health().warnings)
    send(lab, b"second")
    with pytest.raises(SendTimeout):
        forward.drain(0.1)
    assert target.bodies == [b"first"]
    target.answer = lambda _: ok()
    lab.forward(target.url).drain()
    assert target.bodies == [b"first", b"second"]


def test_retry_after_is_obeyed_up_to_a_maximum_by_all(lab, target):
    answers = iter([ok(b"", 503, "Retry-After: 9999"), ok(), ok()])
    target.answer = lambda _: next(answers)
    retry = dataclasses.replace(QUICK, max_wait_seconds=0.4)
    forward = lab.forward(target.url, retry=retry, concurrency=1)
    send(lab, b"1")
    until(lambda: len(target.got) == 1)
    send(lab, b"2")
    forward.drain()
    started = lab.attempts["started_at"]
    assert (started.iloc[1:] - started.iloc[0]).dt.total_seconds().min() >= 0.4
    assert sorted(target.bodies) == [b"1", b"1", b"2"]


def test_a_target_that_is_away_for_a_while_misses_nothing(lab):
    port = free_port()
    url = f"http://127.0.0.1:{port}/hooks"
    forward = lab.forward(url, retry=dataclasses.replace(QUICK, retries=0), in_order=True)
    for number in range(30):
        send(lab, **event(number, f"e{number % 3}"))
    until(lambda: (lab.attempts["seq"] == 1).sum() >= 3)  # more often than retry says
    assert forward.stats["failed"] == 0
    assert "cannot be reached" in repr(forward)
    assert any("cannot be reached" in each for each in lab.health().warnings)
    # Nor does it look for all of them at the same time.
    assert lab.attempts["seq"].nunique() <= 8
    with Target(port=port) as target:
        forward.drain()
        numbers = [json.loads(body)["number"] for body in target.bodies]
    assert sorted(numbers) == list(range(30))
    for entity in range(3):
        mine = [number for number in numbers if number % 3 == entity]
        assert mine == sorted(mine)


def test_one_order_per_entity_while_others_go_on(lab):
    failures = {"left": 3}

    def answer(got):
        if json.loads(got.body)["id"] == "slow" and failures["left"]:
            failures["left"] -= 1
            return ok(b"", 500)
        return ok()

    with Target(answer) as target:
        forward = lab.forward(target.url, in_order=True, retry=QUICK)
        for number in range(20):
            send(lab, **event(number, "slow" if number % 2 else "quick"))
        forward.drain()
        told = [json.loads(body) for body in target.bodies]
    slow = [each["number"] for each in told if each["id"] == "slow"]
    assert slow == [1] * 3 + list(range(1, 20, 2))
    assert forward.stats["sent"] == 20


def test_several_at_once_each_for_itself(lab, target):
    with Target(ok(b"", 500)) as failing:
        good = lab.forward(target.url)
        bad = lab.forward(failing.url, retry=QUICK)
        send(lab, b"x")
        good.drain()
        bad.drain()
        assert target.bodies == [b"x"]
        assert len(failing.got) == 4
        assert set(lab.health().forwards) == {target.url, failing.url}


# Its life


def test_set_again_it_replaces_the_one_of_its_name_and_goes_on(lab, target):
    first = lab.forward(target.url)
    send(lab, b"1")
    first.drain()
    second = lab.forward(target.url)
    assert (first.running, second.running) == (False, True)
    send(lab, b"2")
    second.drain()
    second.stop()
    second.stop()
    send(lab, b"3")
    lab.forward(target.url).drain()
    assert target.bodies == [b"1", b"2", b"3"]


def test_what_was_found_invalid_stays_also_where_nobody_checks_any_more(file):
    port = free_port()
    url = f"http://127.0.0.1:{port}/hooks"
    with Lab(file) as lab:
        lab.verify_with("github", "right")
        lab.forward(url).stop()
        lab.send_sample("github", secret="wrong")
        lab.send_sample("github", secret="right")
    with Target(port=port) as target, Lab(file) as lab:
        lab.forward(url).drain()  # before verify_with is said again
        assert len(target.got) == 1
        assert set(lab.attempts["seq"]) == {2}


def test_a_forward_that_is_to_forget_begins_anew(lab, target):
    lab.forward(target.url).stop(forget=True)
    send(lab, b"meanwhile")
    forward = lab.forward(target.url)
    send(lab, b"later")
    forward.drain()
    assert target.bodies == [b"later"]


def test_what_was_left_when_the_lab_closed_goes_out_when_it_is_set_again(file):
    port = free_port()
    url = f"http://127.0.0.1:{port}/hooks"
    with Lab(file) as lab:
        lab.forward(url, retry=QUICK)
        send(lab, b"1")
        until(lambda: len(lab.attempts))
    with Target(port=port) as target, Lab(file) as lab:
        send(lab, b"2")
        lab.forward(url).drain()
        assert sorted(target.bodies) == [b"1", b"2"]
        attempts = lab.attempts
        assert attempts[attempts["seq"] == 1]["attempt"].is_monotonic_increasing


def test_what_is_deleted_takes_its_tries_along(lab, target):
    forward = lab.forward(target.url)
    send(lab, b"1")
    send(lab, b"2")
    forward.drain()
    lab.delete(1)
    assert list(lab.attempts["seq"]) == [2]
    lab.clear()
    assert len(lab.attempts) == 0
    assert not forward.running


# The answer for the sender


def test_the_sender_gets_the_targets_answer(lab, target):
    target.answer = lambda _: ok(
        b"their answer", 418, "Content-Type: text/x", "Set-Cookie: a=b", "Location: http://10.0.0.1/",
        "Access-Control-Allow-Origin: *", "X-Internal: 1",
    )  # fmt: skip
    forward = lab.forward(target.url, reply=True)
    answer = send(lab, b"asked")
    assert (answer.status, answer.body) == (418, b"their answer")
    assert answer.headers["content-type"] == "text/x"
    assert not {"set-cookie", "location", "access-control-allow-origin", "x-internal"} & set(
        answer.headers
    )
    assert lab[1].status == 418
    assert target.bodies == [b"asked"]
    assert any("(lab.forward)" in each for each in lab._describe().notices)
    lab.respond()  # clears the rules of respond, and no others
    assert send(lab, b"again").status == 418
    assert send(lab, method="GET").status == 200  # nothing that goes to the target
    forward.stop()
    assert send(lab).status == 200


@pytest.mark.parametrize(("answer", "status"), [(HANG, 504), (RESET, 502), (None, 502)], ids=repr)
def test_the_sender_is_told_when_there_is_no_answer(lab, answer, status):
    with Target(answer) as target:
        url = f"http://127.0.0.1:{free_port()}/" if answer is None else target.url
        forward = lab.forward(url, reply=True, timeout=0.3, retry=QUICK)
        assert send(lab).status == status
        forward.drain()
        assert len(lab.attempts) == 1  # the sender tries again, and not we as well
        assert lab[1].status == status
        assert "had no answer to delivery 1" in lab.log["reason"].iloc[-1]


def test_many_senders_wait_for_their_answers_at_the_same_time(lab):
    with Target(lambda got: ok(got.body)) as target:
        lab.forward(target.url, reply=True)
        answers = {}

        def ask(number):
            answers[number] = send(lab, b"%d" % number).body

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == {number: b"%d" % number for number in range(40)}
        assert sorted(target.bodies) == sorted(b"%d" % number for number in range(40))
        until(lambda: lab.health().forwards[target.url].startswith("forwarding; 40 sent"))


def test_a_slow_target_slows_no_sender(lab):
    with Target(HANG) as target:
        lab.forward(target.url)
        for _ in range(50):
            assert post(lab.url).status == 200
        until(lambda: target.got)
        assert len(target.got) <= 8
        assert len(lab) == 50
