"""Tables for people."""

import statistics


def median(values):
    return statistics.median(values)


def table(header, rows):
    """Markdown that also reads well as text: first column to the left, the others to the right."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]

    def line(row):
        first, *others = (cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(zip(row, widths)))
        return "| " + " | ".join([first, *others]) + " |"

    rule = "| " + " | ".join("-" * width if column == 0 else "-" * (width - 1) + ":" for column, width in enumerate(widths)) + " |"
    return "\n".join([line(cells[0]), rule, *map(line, cells[1:])])


def load_table(rounds):
    """`rounds`: one {system: measurement} each; Souk is the first system. Rates of each round, then medians."""
    systems = list(rounds[0])
    peers = systems[1:]
    header = ["", *(f"{system} /s" for system in systems), *(f"souk : {peer}" for peer in peers)]
    rows = []
    for number, results in enumerate(rounds, start=1):
        rates = [results[system]["perSecond"] for system in systems]
        rows.append([f"round {number}", *(f"{rate:,.0f}" for rate in rates), *(f"{rates[0] / rate:.1f}" for rate in rates[1:] if rate)])
    medians = [median(results[system]["perSecond"] for results in rounds) for system in systems]
    ratios = [median(results[systems[0]]["perSecond"] / results[peer]["perSecond"] for results in rounds) for peer in peers]
    rows.append(["**median**", *(f"**{rate:,.0f}**" for rate in medians), *(f"**{ratio:.1f}**" for ratio in ratios)])
    for percentile in ("p50", "p99", "p999"):
        values = [median(results[system][percentile] for results in rounds) for system in systems]
        rows.append([f"{percentile} ms", *(f"{value:,.1f}" for value in values), *("" for _ in peers)])
    sizes = [median(results[system]["bytesPerResponse"] for results in rounds) for system in systems]
    rows.append(["bytes a response", *(f"{size:,.0f}" for size in sizes), *("" for _ in peers)])
    return table(header, rows)


def growth_table(rounds):
    """`rounds`: one {shop: measurement} each, the small shop first. Latencies in milliseconds, medians over the rounds."""
    small, large = rounds[0]
    rows = []
    for percentile in ("p50", "p90", "p99"):
        values = [median(results[shop][percentile] for results in rounds) for shop in (small, large)]
        rows.append([f"{percentile} ms", *(f"{value:,.2f}" for value in values), f"{growth_ratio(rounds, percentile):.2f}"])
    rates = [median(results[shop]["perSecond"] for results in rounds) for shop in (small, large)]
    rows.append(["requests /s", *(f"{rate:,.0f}" for rate in rates), ""])
    return table(["", small, large, "large : small"], rows)


def growth_ratio(rounds, percentile="p50"):
    """How many times as long the large shop takes: the median of the rounds' ratios."""
    small, large = rounds[0]
    return median(results[large][percentile] / results[small][percentile] for results in rounds)


def processor_table(rounds):
    """Milliseconds of processor time that each process used per request, medians over the rounds."""
    lines = []
    for system in rounds[0]:
        used = [results[system]["processorMillisecondsPerRequest"] for results in rounds]
        parts = {name: median(each.get(name, 0) for each in used) for name in used[0]}
        text = ", ".join(f"{name} {value:.3f}" for name, value in sorted(parts.items(), key=lambda part: -part[1]) if value >= 0.0005)
        lines.append(f"processor ms a request, {system}: {sum(parts.values()):.3f} ({text})")
    return "\n".join(lines)


def memory_table(found):
    """`found`: {system: {process: {"pss": KiB, "rss": KiB}}}."""
    rows = []
    for system, processes in found.items():
        for name, sizes in processes.items():
            rows.append([f"{system}: {name}", f"{sizes['pss'] / 1024:.1f}", f"{sizes['rss'] / 1024:.1f}"])
        total = {kind: sum(sizes[kind] for sizes in processes.values()) / 1024 for kind in ("pss", "rss")}
        rows.append([f"**{system}, all**", f"**{total['pss']:.1f}**", f"**{total['rss']:.1f}**"])
    return table(["memory, MiB", "proportional (PSS)", "resident (RSS)"], rows)


def start_table(found):
    """`found`: {kind of data directory: [{"ready": s, "catalog": s}, …]}."""
    rows = []
    for kind, times in found.items():
        ready = [each["ready"] for each in times]
        rows.append([
            kind, f"**{median(ready):.2f}**", f"{min(ready):.2f}…{max(ready):.2f}",
            f"{median(each['catalog'] for each in times):.2f}", str(len(times))])
    return table(["start over", "all ready, s", "from…to", "first catalog, s", "rounds"], rows)


def overload_table(rounds):
    """`rounds`: one {system: what `overload` found} each; medians."""
    systems = list(rounds[0])

    def row(title, value, form="{:,.0f}"):
        cells = []
        for system in systems:
            values = [found for found in (value(results[system]) for results in rounds) if found is not None]
            cells.append(form.format(median(values)) if values else "none")
        return [title, *cells]

    def milliseconds(kind, percentile):
        return lambda found: (found[kind] or {}).get(percentile)

    return table(["", *systems], [
        row("can serve /s (closed loop)", lambda found: found["served"]["perSecond"]),
        row("is offered /s", lambda found: found["offeredPerSecond"]),
        row("accepts /s", lambda found: found["acceptedPerSecond"]),
        row("of what it can serve", lambda found: found["acceptedPerSecond"] / found["served"]["perSecond"], "{:.0%}"),
        row("accepted, p50 ms", milliseconds("acceptedMilliseconds", "p50")),
        row("accepted, p99 ms", milliseconds("acceptedMilliseconds", "p99")),
        row("accepted, slowest ms", milliseconds("acceptedMilliseconds", "max")),
        row("refused with 503, p99 ms", milliseconds("refusedMilliseconds", "p99")),
        row("other answers", lambda found: sum(found["other"].values())),
        row("found not alive", lambda found: len(found["notAlive"])),
        row("memory at most, MiB", lambda found: found["peakMemoryMiB"]),
        row("recovered after, s", lambda found: found["secondsUntilRecovered"], "{:.2f}"),
    ])


def changes_table(rounds):
    """`rounds`: what `changes` found in each."""

    def row(title, value, form="{:,.0f}"):
        return [title, *(form.format(value(found)) for found in rounds)]

    return table(["", *(f"round {number}" for number in range(1, len(rounds) + 1))], [
        row("**requests lost**", lambda found: len(found["lost"]), "**{:,.0f}**"),
        row("requests answered", lambda found: found["answered"]),
        row("requests /s, while reloading", lambda found: found["perSecond"]),
        row("p50 ms", lambda found: found["milliseconds"]["p50"], "{:,.1f}"),
        row("p99 ms", lambda found: found["milliseconds"]["p99"], "{:,.1f}"),
        row("slowest ms", lambda found: found["milliseconds"]["max"], "{:,.1f}"),
        row("reloads", lambda found: len(found["inForceMilliseconds"])),
        row("in force after, median ms", lambda found: median(found["inForceMilliseconds"]), "{:,.1f}"),
        row("in force after, slowest ms", lambda found: max(found["inForceMilliseconds"]), "{:,.1f}"),
        row("answers that said they are the last", lambda found: len(found["announced"])),
        row("messages that WebSockets echoed", lambda found: found["echoes"]),
        row("WebSockets that ended early", lambda found: len(found["talkComplaints"])),
        row("from SIGTERM to the end, s", lambda found: found["secondsToEnd"], "{:,.2f}"),
        row("status of the process", lambda found: found["status"]),
    ])


#: What a gateway's table says: a figure of a load, its title, and its form.
GATEWAY_FIGURES = [
    ("perSecond", "requests /s", "{:,.0f}"),
    ("p50", "p50 ms", "{:,.2f}"),
    ("p99", "p99 ms", "{:,.2f}"),
    ("processorMicroseconds", "processor µs a request", "{:,.1f}"),
    ("processorShare", "of one processor", "{:.0%}"),
    ("upstreamMicroseconds", "the upstream's µs a request", "{:,.1f}"),
    ("memoryMiB", "memory, PSS, MiB", "{:,.1f}"),
    ("bytesPerResponse", "bytes a response", "{:,.0f}"),
]
GATEWAY_RATIOS = {"perSecond", "p50", "p99", "processorMicroseconds", "memoryMiB"}


def gateway_table(rounds, compared):
    """`rounds`: one {gateway: measurement} each, Souk the first; medians, and its ratios to the gateways in `compared`."""
    souk, *_ = gateways = list(rounds[0])
    rows = []
    for figure, title, form in GATEWAY_FIGURES:
        values = [form.format(median(results[gateway][figure] for results in rounds)) for gateway in gateways]
        ratios = [f"**{gateway_ratio(rounds, peer, figure):.2f}**" if figure in GATEWAY_RATIOS else "" for peer in compared]
        rows.append([title, *values, *ratios])
    return table(["", *gateways, *(f"{souk} : {peer}" for peer in compared)], rows)


def gateway_ratio(rounds, peer, figure):
    """The median of the rounds' ratios, Souk's figure over the peer's."""
    souk = next(iter(rounds[0]))
    return median(results[souk][figure] / results[peer][figure] for results in rounds)
