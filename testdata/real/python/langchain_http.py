"""LangChain and LangGraph in Python: a chat model and a graph with a tool, on OpenAI's and Anthropic's API."""

import asyncio
import importlib.metadata

import anthropic
import openai
from common import raises, world
from langchain_anthropic import ChatAnthropic
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode


def chat_openai(model=world["openai"]):
    return ChatOpenAI(model=model, api_key=world["token"], base_url=world["http"] + "/openai/v1")


def chat_anthropic(model=world["anthropic"]):
    return ChatAnthropic(model=model, api_key=world["token"], base_url=world["http"] + "/anthropic", max_tokens=100)


for make, refused in (chat_openai, openai.PermissionDeniedError), (chat_anthropic, anthropic.PermissionDeniedError):
    model = make()
    assert model.invoke("plain").text == world["answer"]
    assert "".join(chunk.text for chunk in model.stream("plain")) == world["answer"]
    with raises(Exception, "the model failed"):
        model.invoke("fail")
    with raises(refused, "known-models"):
        make(world["denied"]).invoke("plain")
    with raises(refused, "known-models"):
        list(make(world["denied"]).stream("plain"))

    cities = []

    @tool(world["tool"])
    def lookup(city: str) -> str:
        """The weather of a city."""
        cities.append(city)
        return "sunny"

    bound = make().bind_tools([lookup])
    graph = StateGraph(MessagesState)
    graph.add_node("plan", lambda state: {"messages": [bound.invoke(state["messages"])]})
    graph.add_node("act", ToolNode([lookup]))
    graph.add_edge(START, "plan")
    graph.add_conditional_edges("plan", lambda state: "act" if state["messages"][-1].tool_calls else END)
    graph.add_edge("act", "plan")
    app = graph.compile()
    out = app.invoke({"messages": [("user", "plain")]})
    assert out["messages"][-1].text == world["answer"], out
    for _ in app.stream({"messages": [("user", "plain")]}, stream_mode="messages"):
        pass
    assert cities == [world["city"]] * 2, cities

    for chunk in model.stream("slow"):
        if chunk.text:
            break
    async def plan(state):
        return {"messages": [await bound.ainvoke(state["messages"])]}

    async def left():
        graph = StateGraph(MessagesState).add_node("plan", plan).add_edge(START, "plan").compile()
        await asyncio.wait_for(graph.ainvoke({"messages": [("user", "slow")]}), 0.5)

    with raises(asyncio.TimeoutError):
        asyncio.run(left())
    with raises(Exception, "the model failed"):
        app.invoke({"messages": [("user", "fail")]})
    closed = make(world["denied"])
    one = StateGraph(MessagesState).add_node("plan", lambda state: {"messages": [closed.invoke(state["messages"])]}).add_edge(START, "plan").compile()
    with raises(refused, "known-models"):
        one.invoke({"messages": [("user", "plain")]})

vectors = OpenAIEmbeddings(
    model="text-embedding-3-small", api_key=world["token"], base_url=world["http"] + "/openai/v1", check_embedding_ctx_length=False
)
assert len(vectors.embed_query("plain")) == 3
print("ok:", *(f"{p} {importlib.metadata.version(p)}" for p in ("langchain-openai", "langchain-anthropic", "langgraph")))
