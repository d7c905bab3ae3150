"""What the HTTP clients' scripts share. The world is JSON in SALLYPORT_WORLD: see http_real_test.go."""

import contextlib
import json
import os

world = json.loads(os.environ["SALLYPORT_WORLD"])
tool_schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def user(text):
    return [{"role": "user", "content": text}]


@contextlib.contextmanager
def raises(kind, *words, sent=None):
    """The block must raise kind with the words in its text; with sent, after one request."""
    if sent is not None:
        del sent[:]
    try:
        yield
    except kind as e:
        missing = [w for w in words if w not in str(e)]
        assert not missing, f"{missing} not in {e!r}"
        assert world["token"] not in str(e), e
    else:
        raise AssertionError(f"no {kind}")
    if sent is not None:
        assert len(sent) == 1, f"{len(sent)} requests for one refusal"
