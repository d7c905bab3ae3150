"""Pinecone's library: the control plane, and the index at the host that its description names."""

import importlib.metadata

from common import raises, world
from pinecone import Pinecone

pc = Pinecone(api_key=world["token"], host=world["http"] + "/pinecone")
description = pc.indexes.describe("notes")
assert description.host.startswith(world["http"] + "/pinecone/"), description.host
assert description.private_host == description.host, description
assert [i.name for i in pc.indexes.list()] == ["notes"]

# By its name, and by the host alone as programs keep it.
for index in pc.index("notes"), pc.index(host=description.host):
    assert index.upsert(vectors=[("n1", [0.1, 0.2, 0.3])]).upserted_count == 1
    match = index.query(vector=[0.1, 0.2, 0.3], top_k=1, include_metadata=True).matches[0]
    assert match.metadata["email"] == world["mark"], match
    assert index.describe_index_stats().total_vector_count == 1
for namespace, word in ("fail", "the model failed"), ("slow", ""):
    impatient = Pinecone(api_key=world["token"], host=world["http"] + "/pinecone", timeout=0.5 if namespace == "slow" else 30)
    with raises(Exception, word):
        impatient.index("notes").query(vector=[0.1, 0.2, 0.3], top_k=1, namespace=namespace)
try:
    pc.indexes.delete("notes")
except Exception as e:
    assert "403" in str(e) or "no-drop" in str(e), e
else:
    raise AssertionError("not refused")
print("ok: pinecone", importlib.metadata.version("pinecone"))
