"""The Python client of the Model Context Protocol with `bspm mcp` and `bspm serve --mcp`; see scripts/test-mcp.

    client.py BSPM
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

KEY = "a-key-for-the-client-of-mcp"


async def converse(client):
    """Lists and calls the tools; returns the items of a list."""
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert list(tools) == ["recommend", "similar", "explain", "search", "describe"], list(tools)
    assert tools["similar"].input_schema["required"] == ["item"]

    async def call(name, **arguments):
        result = await client.call_tool(name, arguments)
        assert not result.is_error, result
        return result.structured_content

    described = await call("describe")
    assert (described["users"], described["items"]) == (40, 30), described
    found = await call("search", search="Book 7")
    assert found["items"][0]["item"] == "i7", found
    listed = await call("recommend", history=["i7"], k=3)
    assert len(listed["items"]) == 3 and listed["items"][0]["title"].startswith("Book "), listed
    similar = await call("similar", item="i7", k=3)
    assert [it["item"] for it in similar["items"]] == [it["item"] for it in listed["items"]]
    explained = await call("explain", history=["i7"], item=listed["items"][0]["item"])
    assert explained["contributions"][0]["title"] == "Book 7", explained

    wrong = await client.call_tool("recommend", {"user": "u1", "k": "many"})
    assert wrong.is_error and "expected a whole number" in wrong.content[0].text, wrong
    try:
        await client.call_tool("buy", {})
    except MCPError as error:
        assert "unknown tool: buy" in str(error), error
    else:
        raise AssertionError("an unknown tool was called")
    return listed["items"]


async def over_http(address):
    async with create_mcp_http_client(headers={"authorization": f"Bearer {KEY}"}) as http:
        transport = streamable_http_client(f"{address}/mcp", http_client=http)
        async with Client(transport) as client:
            return await converse(client)


def main():
    bspm = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [f"u{user},i{(user * 7 + step * step) % 30}" for user in range(40) for step in range(6)]
        (folder / "reads.csv").write_text("\n".join(["user,item", *rows]) + "\n")
        titles = [f"i{item},Book {item}" for item in range(30)]
        (folder / "items.csv").write_text("\n".join(["item,title", *titles]) + "\n")
        (folder / "keys.txt").write_text(f"{KEY}\n")
        model = str(folder / "model.bspm")
        fit = [bspm, "fit", folder / "reads.csv", "--items", folder / "items.csv", "-o", model, "--filter", "gf-cf"]
        subprocess.run(fit, check=True, capture_output=True)

        async def over_stdio():
            async with Client(StdioServerParameters(command=bspm, args=["mcp", model])) as client:
                return await converse(client)

        first = asyncio.run(over_stdio())
        print("stdio: passed", flush=True)
        serve = [bspm, "serve", model, "--address", "127.0.0.1:0", "--mcp", "--keys", folder / "keys.txt"]
        with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as server:
            try:
                address = server.stdout.readline().removeprefix("listening on ").strip()
                assert asyncio.run(over_http(address)) == first
            finally:
                server.terminate()
        print("http: passed", flush=True)


main()
