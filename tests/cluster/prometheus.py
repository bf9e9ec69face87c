"""Questions to the cluster's Prometheus."""
import json
import os
import urllib.parse
import urllib.request


def answer(path, **query):
    url = f"{os.environ['WEIR_PROMETHEUS_URL']}/api/v1/{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=10) as response:
        return json.load(response)


def ask(path, **query):
    return answer(path, **query)["data"]["result"]


def query(expression):
    return ask("query", query=expression)


def first_time_above(expression, limit, begin, end):
    """When Prometheus scraped the first value above `limit`, in seconds since the epoch; None = never."""
    window = max(1, int(end - begin))
    series = ask("query", query=f"{expression}[{window}s]", time=end)
    times = [float(at) for one in series for at, value in one["values"] if float(value) > limit]
    return min(times, default=None)
